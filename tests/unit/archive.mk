# Unit tests of src/archive
