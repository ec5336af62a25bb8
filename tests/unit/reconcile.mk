# Unit tests of src/reconcile
