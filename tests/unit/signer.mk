# Unit tests of src/signer
