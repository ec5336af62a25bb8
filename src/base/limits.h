/* SPDX-License-Identifier: ISC */
/*
 * Every constant limit of the product, in one place.  A limit that an
 * operator may want to move is a setting instead (base/conf.h); what stands
 * here protects the processes themselves and is the same everywhere.
 */
#ifndef MUHUR_BASE_LIMITS_H
#define MUHUR_BASE_LIMITS_H

/* --- identifiers; sizes in bytes include the terminating NUL ----------- */
#define MEMBER_CODE_SIZE	13	/* 3..12 of A-Z 0-9, a letter first */
#define USER_CODE_SIZE		16	/* member code + 3 digits */
#define UUID_SIZE		37	/* RFC 9562 text form */
#define ASSET_SIZE		10	/* ISO 24165 DTI, 9 characters */
#define LEI_SIZE		21	/* ISO 17442, 20 characters */
#define MESSAGE_ID_SIZE		37	/* 1..36 of A-Z a-z 0-9 . _ - */
#define MESSAGE_TYPE_SIZE	33
#define DATE_SIZE		11	/* YYYY-MM-DD */
#define TIME_SIZE		31	/* RFC 3339, UTC, up to nanoseconds */
#define SHA256_SIZE		32	/* raw bytes */
#define SHA256_HEX_SIZE		65
#define DECIMAL_SIZE		42	/* sign, 20 digits, point, 18 digits */
#define FILE_NAME_SIZE		201	/* an uploaded file's base name */
#define DN_SIZE			513	/* a distinguished name, RFC 4514 */
#define SERIAL_SIZE		65	/* a certificate's serial number, hex */
#define BREAK_ID_SIZE		33
#define POLICY_OID_SIZE		65	/* of a signature policy, dotted decimal */
#define POLICY_DIGEST_SIZE	64	/* raw bytes, SHA-512 */

/* --- XML, per document (findings: a hostile file then ends in 0.5 s) ---- */
#define XML_MAX_DEPTH		32
#define XML_MAX_ATTRIBUTES	64	/* on one element */
#define XML_MAX_NSDECLS		32	/* on one element */
#define XML_MAX_NS_IN_SCOPE	128
#define XML_MAX_SILENCE		(256 * 1024)	/* bytes read without an event */
#define XML_MAX_TEXT		(64 * 1024)	/* one text node outside ds:Signature */
#define XML_MAX_SIGNATURE	(256 * 1024)	/* ds:Signature subtree */
#define XML_MAX_NAMES		4096	/* distinct element and attribute names */
#define XML_MAX_CERTIFICATES	8	/* X509Certificate in KeyInfo */
#define XML_MAX_PREFIX_LIST	32	/* prefixes in an InclusiveNamespaces */
#define XML_HINT_SIZE		(64 * 1024)	/* head and tail searched for the c14n hint */
#define XML_MAX_DECLARATION	256	/* characters of <?xml ...?> */
#define XML_MAX_IDS		256	/* attributes of type ID in ds:Signature */
#define XML_MAX_CERTIFICATE	(64 * 1024)	/* bytes of one, DER */
#define XML_MAX_SIGNATURE_VALUE	2048	/* bytes: RSA with 16384 bits */
#define XML_MAX_ISSUER_SERIAL	4096	/* bytes of an IssuerSerialV2, DER */
#define XML_MAX_TIMESTAMPS	4	/* SignatureTimeStamps that are judged; more are bad */
#define STAMP_MAX_TOKEN		(64 * 1024)	/* bytes of one, DER: chains and lists may be in it */
#define STAMP_MAX_TEXT		(128 * 1024)	/* its base64 with line ends */
#define TSA_MAX_SKEW		300	/* seconds that a time-stamp asked for may lie beside our clock */
#define STAMP_URI_SIZE		128	/* of a time-stamp's algorithm; longer is none that is known */
#define XML_MAX_FIELD		1024	/* bytes of a record's attribute or a header's element */
#define XML_MAX_SCHEMA_ERRORS	20	/* then validation ends; digesting goes on */
#define CHAIN_MAX_DEPTH		8	/* CAs between a signer's certificate and its root */

/* --- revocation lists ----------------------------------------------------- */
#define TRUST_MAX_ANCHORS	(4 * 1024 * 1024)	/* bytes of a file of trust anchors, PEM */
#define CRL_MAX_SIZE		(48 * 1024 * 1024)	/* bytes of one, DER: the most that crl_max_size may be */
#define CRL_MAX_FILE		(64 * 1024 * 1024)	/* bytes of a file of CRLs, PEM */
#define CRL_MAX_REDIRECTS	5
#define CRLS_USED_MAX		20	/* for one chain: each certificate's, whole and delta */
#define CRL_NUMBER_SIZE		43	/* 20 octets (RFC 5280 5.2.3), "0x" and hexadecimal */

/* --- evidence: what a container may hold that somebody hands over ------------ */
#define EVIDENCE_MAX_FILES	4096
#define EVIDENCE_MAX_SIZE	(INT64_C(64) << 30)	/* bytes, unpacked, of all together */
#define EVIDENCE_FREE_SIZE	(1024 * 1024)	/* bytes: of larger entries the ratio is looked at */
#define EVIDENCE_MAX_RATIO	200	/* unpacked to packed */
#define EVIDENCE_MAX_SMALL	(32 * 1024 * 1024)	/* bytes of an entry that is read into memory */
#define EVIDENCE_MAX_OTHER	CRL_MAX_FILE	/* bytes of an entry that is neither document nor notice */

/* --- what is kept of a refused document -------------------------------- */
#define REASONS_MAX		32	/* reasons reported for one document */
#define RECORD_FINDINGS_MAX	1000	/* kept of an accepted one, see schemas/sql/012-findings.sql */
#define REASON_PATH_SIZE	257	/* path to the place, e.g. /BalanceReport/Header */
#define REASON_DETAIL_SIZE	257
#define TIMESTAMP_WHY_SIZE	257

/* --- time for one document ---------------------------------------------- */
/* A process can also stand still without using the CPU, and `workers' of those
 * would stop the gateway.  So verify and load together have the setting
 * document_timeout plus the document's size at this rate, a tenth or less of
 * what a slow machine does. */
#define DOCUMENT_RATE		(1024 * 1024)	/* bytes a second, at the least */
#define VERIFY_CPU_BASE		120	/* seconds of CPU beside those for the size */

/* --- the store --------------------------------------------------------------- */
#define DEPOT_WINDOW_LOG	23	/* a compressed document is read with 8 MiB of history at the most */

/* --- identities ------------------------------------------------------------ */
#define IDENTITY_KEY_SIZE	32	/* of the hash they are looked up by, HMAC-SHA-256 */
#define IDENTITY_CHECK_BATCH	1000	/* that the outside check is asked about at once */
#define IDENTITY_ANSWER_MAX	1024	/* bytes of one line of its answer */
#define REGISTRY_NO_SIZE	11	/* 10 digits */

/* --- trail ---------------------------------------------------------------- */
#define TRAIL_ORIGIN_SIZE	129	/* of the log's name */

/* --- header of a submission -------------------------------------------- */
#define CONTROL_TOTALS_MAX	2048	/* assets in one submission */

/* --- the clock -------------------------------------------------------------- */
#define CLOCK_JUMP		60	/* seconds: more at once is a jump of the wall clock */
#define CLOCK_QUIET		86400	/* seconds without an event that are believed at a start */

/* --- channels between processes ---------------------------------------- */
#define MSG_MAX_PAYLOAD		(60 * 1024)
#define MSG_MAX_FDS		4
#define MSG_MAX_QUEUE		65536	/* messages waiting for one peer */
#define STREAM_MAX_FRAME	(256 * 1024)

/* --- SFTP --------------------------------------------------------------- */
#define SFTP_MAX_PACKET		(256 * 1024 + 1024)
#define SFTP_MAX_DATA		(255 * 1024)	/* one read or write */
#define SFTP_MAX_HANDLES	64	/* open at once in one session */
#define SFTP_MAX_EXTENTS	256	/* written ranges of one upload, gaps between them */
#define SFTP_PATH_SIZE		1024	/* of a normalised path, NUL included */
#define SFTP_MAX_AUTH_TRIES	6
#define SFTP_MAX_OUTPUT		(128 * 1024)	/* unsent bytes held for a peer */
#define SFTP_FETCHED_KEPT	10000	/* files whose fetching a session does not log anew */
#define FETCH_RANGES_MAX	32	/* of one download that are recorded, gaps between them */
#define FETCHES_AT_ONCE		256	/* downloads that the directory is told of before it answers */
#define FETCHES_KEPT		20000	/* that wait for it; of more only the log tells */
#define FETCHES_OF_MEMBER	2000	/* of them by one member's users */
#define SSH_MAX_KEY_BLOB	1024	/* a public key on the wire */
#define REVIEWS_MAX		64	/* sessions that are being judged again at once */
#define REVIEW_EVERY		2	/* seconds: each session is judged again at least so often */
#define REVIEW_GRACE		1	/* seconds for one that is sent away, then it is killed */

#endif
