# Unit tests of src/msg
