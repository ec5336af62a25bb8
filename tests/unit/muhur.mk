# Unit tests of src/muhur
