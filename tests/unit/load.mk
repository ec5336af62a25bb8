# Unit tests of src/load
