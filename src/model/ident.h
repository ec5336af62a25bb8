/* SPDX-License-Identifier: ISC */
/* Identifiers and their check rules (domain: identifier check rules). All
 * predicates take NUL-terminated ASCII and return 1 or 0. */
#ifndef MUHUR_MODEL_IDENT_H
#define MUHUR_MODEL_IDENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

/* [A-Z][A-Z0-9]{2,11}, but not "OWN", which in a balance names the
 * platform's own wallet. */
int member_code_ok(const char *s);
int user_code_ok(const char *s);	/* member code + 001..899 or 900..990 (S2 E) */
int user_code_is_main_authority(const char *s);	/* [ana yetkili] 900..990 */
/* The member part of a user code; 0, or -1 where s is no user code. */
int user_code_member(const char *s, char member[MEMBER_CODE_SIZE]);
int message_id_ok(const char *s);
int asset_ok(const char *s);		/* DTI form; the check character is not judged */
int dti_check_ok(const char *s);	/* ISO 7064 MOD 31,30: a warning at most */
int lei_ok(const char *s);		/* ISO 17442, ISO 7064 MOD 97-10 */
int tckn_ok(const char *s);		/* T.C. identity number */
int vkn_ok(const char *s);		/* tax number */
int registry_no_ok(const char *s);	/* of an investor [sicil numarasi]; its check digit is not judged */
/* The number that its digits make, of len bytes; 0, or -1 where it is no registry number. */
int registry_no_parse(const char *s, size_t len, uint64_t *number);
void registry_no_format(uint64_t number, char s[REGISTRY_NO_SIZE]);
int uuid_ok(const char *s);		/* lower-case RFC 9562 text */

/* A UUIDv7 (RFC 9562 5.7) for the moment t (microseconds): sorts by time,
 * also among those made within one millisecond by one process. */
void uuid_v7(long long t_usec, char out[UUID_SIZE]);

/* len bytes are valid UTF-8 without control characters (C0, DEL, C1) and
 * without the two that XML 1.0 has no place for: may go to logs and into XML. */
int text_ok(const char *s, size_t len);
/* Make s such a text: every other byte becomes '?', and a character that the
 * end of a field cut off goes away. */
void text_clean(char *s);

/* A base name that may become a file of a box: 1..200 bytes, valid UTF-8, no
 * '/', no control character, not beginning with '.', not "." or "..". */
int file_name_ok(const char *s);
/* Ends in .part, .tmp or .filepart: an upload that its client will rename. */
int file_name_is_partial(const char *s);

#endif
