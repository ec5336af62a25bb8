# Unit tests of src/muhur
dist_check_SCRIPTS += tests/unit/muhur/test_command.sh
TESTS += tests/unit/muhur/test_command.sh
dist_check_SCRIPTS += tests/unit/muhur/test_identity.sh
TESTS += tests/unit/muhur/test_identity.sh
dist_check_SCRIPTS += tests/unit/muhur/test_sample.py
TESTS += tests/unit/muhur/test_sample.py
dist_check_SCRIPTS += tests/unit/muhur/test_trail.py
TESTS += tests/unit/muhur/test_trail.py
dist_check_SCRIPTS += tests/unit/muhur/test_trail_files.py
TESTS += tests/unit/muhur/test_trail_files.py
