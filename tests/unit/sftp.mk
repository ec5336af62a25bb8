# Unit tests of src/sftp
