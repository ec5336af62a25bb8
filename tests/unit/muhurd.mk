# Unit tests of src/muhurd
