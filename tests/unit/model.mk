# Unit tests of src/model, and of schemas/xml
if HAVE_CMOCKA
MODEL_TEST_LIBS = src/model/libmodel.a src/base/libbase.a $(CMOCKA_LIBS)
check_PROGRAMS += tests/unit/model/test_decimal tests/unit/model/test_ident \
	tests/unit/model/test_reason tests/unit/model/test_tables tests/unit/model/test_schemas \
	tests/unit/model/test_schemas_in tests/unit/model/test_tilepath
TESTS += tests/unit/model/test_decimal tests/unit/model/test_ident \
	tests/unit/model/test_reason tests/unit/model/test_tables tests/unit/model/test_schemas \
	tests/unit/model/test_schemas_in tests/unit/model/test_tilepath
tests_unit_model_test_decimal_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_unit_model_test_decimal_LDADD = $(MODEL_TEST_LIBS)
tests_unit_model_test_ident_LDADD = $(MODEL_TEST_LIBS)
tests_unit_model_test_reason_LDADD = $(MODEL_TEST_LIBS)
tests_unit_model_test_tables_LDADD = $(MODEL_TEST_LIBS)
tests_unit_model_test_tilepath_LDADD = $(MODEL_TEST_LIBS)
tests_unit_model_test_schemas_LDADD = src/base/libbase.a $(XML_LIBS) $(CMOCKA_LIBS)
tests_unit_model_test_schemas_in_LDADD = src/model/libmodel.a src/base/libbase.a $(XML_LIBS) $(CMOCKA_LIBS)
endif
dist_check_SCRIPTS += tests/unit/model/test_refusals.sh
TESTS += tests/unit/model/test_refusals.sh
