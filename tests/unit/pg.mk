# Unit tests of src/pg
