/* SPDX-License-Identifier: ISC */
/*
 * Writes the tables of reasons and of states into the pages that quote them: a
 * filter from standard input to standard output.  What stands between a line that holds
 * "@refusals NAME:" and the next that holds "@end" is written anew; all else is
 * left as it is.  `make refusals' runs it, and a test compares.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/job.h"
#include "model/reason.h"

#define WIDTH		116	/* columns of a paragraph in Markdown */
#define LINE_MAX_SIZE	4096

enum language { EN, TR };

static const char *const stage_names[STAGE_NONE][2] = {
	[STAGE_XML] = { "XML", "XML" },
	[STAGE_SIGNATURE] = { "Signature", "İmza" },
	[STAGE_CERTIFICATE] = { "Certificate", "Sertifika" },
	[STAGE_SIGNING_TIME] = { "Signing time", "İmza zamanı" },
	[STAGE_AUTHORITY] = { "Authority", "Yetki" },
	[STAGE_SCHEMA] = { "Schema", "Şema" },
	[STAGE_CONTENT] = { "Content", "İçerik" },
	[STAGE_OURS] = { "The gateway", "Sistem" },
};

/* What becomes of the file when it is sent again, and of its MessageId. */
static const char *
again(enum reason_stage stage, enum language l)
{
	static const char *const counted[] = {
		"The same file gets this answer again; the corrected one needs a new MessageId.",
		"Aynı dosyaya yine bu yanıt verilir; düzeltilmiş dosya için yeni bir MessageId gerekir." };
	static const char *const of_bytes[] = {
		"The corrected file may keep its MessageId.",
		"Düzeltilmiş dosyada aynı MessageId kullanılabilir." };
	static const char *const anew[] = {
		"The same file, with the same MessageId, is judged anew.",
		"Aynı dosya, aynı MessageId ile, yeniden değerlendirilir." };

	if (reason_stage_counts(stage))
		return counted[l];
	/* What the bytes alone decide comes out the same. */
	return stage <= STAGE_SIGNATURE ? of_bytes[l] : anew[l];
}

/* --- Markdown ---------------------------------------------------------------- */

/* Columns of the word at s: its characters, not its bytes. */
static size_t
word_width(const char *s, size_t len)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++)
		n += ((unsigned char)s[i] & 0xc0) != 0x80;
	return n;
}

/* One paragraph, with a word or two in front that are set off. */
static void
paragraph(const char *lead, const char *text)
{
	size_t len, n, column = 0;

	if (*lead != '\0') {
		printf("*%s:*", lead);
		column = word_width(lead, strlen(lead)) + 3;
	}
	for (; *text != '\0'; text += len + (text[len] == ' ')) {
		len = strcspn(text, " ");
		n = word_width(text, len);
		if (column > 0 && column + 1 + n > WIDTH) {
			putchar('\n');
			column = 0;
		} else if (column > 0) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)len, text);
		column += n;
	}
	printf("\n\n");
}

/* The rule without its glosses " (...)", which are English. */
static const char *
bare_rule(const char *rule, char *out, size_t size)
{
	size_t n = 0;

	for (; *rule != '\0' && n + 1 < size; rule++) {
		if (rule[0] == ' ' && rule[1] == '(' && strchr(rule, ')') != NULL)
			rule = strchr(rule, ')');
		else
			out[n++] = *rule;
	}
	out[n] = '\0';
	return out;
}

static void
markdown_code(const struct reason_info *r, enum language l)
{
	char rule[LINE_MAX_SIZE];

	printf("#### %s\n\n", r->name);
	paragraph("", l == TR ? r->text_tr : r->text_en);
	paragraph(l == TR ? "Yapılacak işlem" : "What to do", l == TR ? r->action_tr : r->action_en);
	paragraph(l == TR ? "Yeniden gönderme" : "Sending again", again(r->stage, l));
	if (l == TR)
		paragraph("Dayanak", bare_rule(r->rule, rule, sizeof(rule)));
	else
		paragraph("Rule", r->rule);
}

static void
markdown(enum language l)
{
	const struct reason_info *r;
	enum reason_stage stage = STAGE_NONE;
	int i;

	putchar('\n');
	for (i = 0; i < REASON_COUNT; i++) {
		r = reason_info((enum reason_code)i);
		if (r->stage != stage)
			printf("### %d. %s\n\n", (int)r->stage + 1, stage_names[r->stage][l]);
		stage = r->stage;
		markdown_code(r, l);
	}
}

/* The stages in their order, each code with a link to its entry.  The heading
 * of the second language's entry is the second of that name on the page. */
static void
stages(enum language l)
{
	const struct reason_info *r;
	enum reason_stage stage = STAGE_NONE;
	const char *s;
	int i;

	for (i = 0; i < REASON_COUNT; i++) {
		r = reason_info((enum reason_code)i);
		if (r->stage != stage)
			printf("\n%d. %s: ", (int)r->stage + 1, stage_names[r->stage][l]);
		else
			printf(",\n   ");
		stage = r->stage;
		printf("[%s](#", r->name);
		for (s = r->name; *s != '\0'; s++)
			putchar(*s >= 'A' && *s <= 'Z' ? *s - 'A' + 'a' : *s);
		printf("%s)", l == TR ? "-1" : "");
	}
	printf("\n\n");
}

/* An Error as notices carry it (acknowledgement-1.xsd). */
static void
example(enum language l)
{
	const struct reason_info *r = reason_info(CONTROL_TOTAL);

	(void)l;
	printf("\n```xml\n"
	    "<Error Code=\"%s\" Line=\"0\" Path=\"Header/ControlTotals\">\n"
	    "  <TextTr>%s</TextTr>\n"
	    "  <TextEn>%s</TextEn>\n"
	    "  <ActionTr>%s</ActionTr>\n"
	    "  <ActionEn>%s</ActionEn>\n"
	    "  <Detail>4H95J0R2X: the header declares 1.6, the records sum to 1.5</Detail>\n"
	    "  <Rule>%s</Rule>\n"
	    "</Error>\n"
	    "```\n\n", r->name, r->text_tr, r->text_en, r->action_tr, r->action_en, r->rule);
}

/* --- mdoc -------------------------------------------------------------------- */

static void
mdoc_text(const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\'')
			printf("\\(cq");
		else
			putchar(*s);
		if (*s == '.' && s[1] == ' ') {		/* a sentence a line */
			putchar('\n');
			s++;
		}
	}
	putchar('\n');
}

static void
mdoc(enum language l)
{
	const struct reason_info *r;
	enum reason_stage stage = STAGE_NONE;
	int i;

	(void)l;
	printf(".Bl -tag -width Ds\n");
	for (i = 0; i < REASON_COUNT; i++) {
		r = reason_info((enum reason_code)i);
		if (r->stage != stage)
			printf("%s.It Em %s\n%s\n.Bl -tag -width Ds -compact\n",
			    stage == STAGE_NONE ? "" : ".El\n", stage_names[r->stage][EN],
			    again(r->stage, EN));
		stage = r->stage;
		printf(".It Dv %s\n", r->name);
		mdoc_text(r->text_en);
		mdoc_text(r->action_en);
		printf(".Pq ");
		mdoc_text(r->rule);
	}
	printf(".El\n.El\n");
}

/* --- the filter -------------------------------------------------------------- */

/* --- states of a submission ------------------------------------------------------ */

/* Each state with what may happen to it, as model/job.c's one table has it. */
static void
states(enum language unused)
{
	enum submission_state from, to;
	int s, e, n;

	(void)unused;
	printf("\n");
	for (s = 0; s < SUB_STATE_COUNT; s++) {
		from = (enum submission_state)s;
		for (e = n = 0; e < EV_COUNT; e++) {
			if ((to = submission_next(from, (enum submission_event)e)) == SUB_STATE_COUNT)
				continue;
			printf("    %-9s ──%s", n++ == 0 ? submission_state_name(from) : "",
			    submission_event_name((enum submission_event)e));
			for (size_t i = strlen(submission_event_name((enum submission_event)e)); i < 8; i++)
				printf("─");
			printf("▶ %s\n", submission_state_name(to));
		}
		if (n == 0)
			printf("    %-9s (stays)\n", submission_state_name(from));
	}
	printf("\n");
}

static const struct {
	const char	*name;
	void		(*write)(enum language);
	enum language	 language;
} parts[] = {
	{ "stages-en", stages, EN },
	{ "stages-tr", stages, TR },
	{ "example", example, EN },
	{ "codes-en", markdown, EN },
	{ "codes-tr", markdown, TR },
	{ "mdoc", mdoc, EN },
	{ "states", states, EN },
};

/* The part that begins behind this line, -1 for none. */
static int
begins(const char *line)
{
	const char *s = strstr(line, "@refusals ");
	size_t i, len;

	if (s == NULL)
		return -1;
	s += strlen("@refusals ");
	len = strcspn(s, ": \n");
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strlen(parts[i].name) == len && strncmp(parts[i].name, s, len) == 0)
			return (int)i;
	fprintf(stderr, "refusals: there is no part \"%.*s\"\n", (int)len, s);
	exit(1);
}

int
main(void)
{
	char line[LINE_MAX_SIZE];
	int part, found = 0, inside = 0;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (inside && strstr(line, "@end") == NULL)
			continue;
		inside = 0;
		fputs(line, stdout);
		if ((part = begins(line)) == -1)
			continue;
		parts[part].write(parts[part].language);
		inside = found = 1;
	}
	if (ferror(stdin) || fflush(stdout) != 0 || ferror(stdout)) {
		perror("refusals");
		return 1;
	}
	if (inside || !found) {
		fprintf(stderr, "refusals: %s\n", inside ? "the last part does not end" :
		    "nothing in it is to be written");
		return 1;
	}
	return 0;
}
