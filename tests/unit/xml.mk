# Unit tests of src/xml
