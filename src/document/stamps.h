/* SPDX-License-Identifier: ISC */
/*
 * The SignatureTimeStamps of a signature, taken out of the events of its
 * UnsignedProperties: all else there goes by, however much it is.  What is kept is
 * bounded by XML_MAX_TIMESTAMPS and STAMP_MAX_TOKEN.
 */
#ifndef MUHUR_DOCUMENT_STAMPS_H
#define MUHUR_DOCUMENT_STAMPS_H

#include "xml/stamp.h"

struct stamps {
	struct stamp	 v[XML_MAX_TIMESTAMPS];
	size_t		 n;		/* may pass XML_MAX_TIMESTAMPS: then they are only counted */
	int		 in_list, in_stamp, in_token;	/* what is open */
	int		 tokens;	/* of the open time-stamp */
};

/* level: 0 for UnsignedProperties itself, 1 for its children and so on.
 * attributes as libxml2's SAX2 has them. */
void	stamps_start(struct stamps *st, int level, const xmlChar *localname, const xmlChar *uri,
	    int nb_attributes, const xmlChar **attributes);
void	stamps_end(struct stamps *st, int level);
void	stamps_text(struct stamps *st, const xmlChar *s, int len);
void	stamps_free(struct stamps *st);

#endif
