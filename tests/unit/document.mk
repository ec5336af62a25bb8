# Unit tests of src/document
