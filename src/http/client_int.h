/* SPDX-License-Identifier: Apache-2.0
 *
 * What the client's files know of each other: the connection, and the two protocols behind it. */
#pragma once
#include "http/client.h"

typedef struct H2Client H2Client;

/* The HTTP/1 call in progress; all zero while there is none. */
typedef struct H1Client {
	char *buffer; /* HTTP_BUFFER_BYTES */
	char *second; /* another one, when the head left too little room; or NULL */
	char *at;     /* bytes read and not yet taken: at .. at + len */
	size_t len;
	char *room; /* where the body may be read to */
	size_t room_len;
	H1Body body;         /* of the answer */
	HttpBody sends;      /* of the request */
	uint64_t sends_left; /* of its promised length */
	Str ahead;           /* the next piece, when it was there already */
	Err *ahead_err;
	bool began;     /* a head was given to be sent */
	bool connect;   /* which was CONNECT */
	Str offered;    /* protocols it would change to */
	bool head_done; /* the answer's final head was given */
	bool tunnel;
	bool ended;  /* the last read met the end of the stream */
	bool broken; /* the conversation went wrong */
} H1Client;

struct HttpConn {
	Stream stream; /* first: the loop's callbacks get its watch */
	HttpConnConf conf;
	uint32_t calls;
	bool busy;     /* HTTP/1: a call is on it */
	bool over;     /* no new call may begin */
	int moving_fd; /* between http_conn_leave and http_conn_arrive */
	void (*on_close)(HttpConn *conn, void *arg);
	void *on_close_arg;
	H2Client *h2; /* NULL: HTTP/1 */
	H1Client h1;
};

/* The connection became unusable while idle; the last thing the caller does with it. */
void http_conn_closed(HttpConn *conn);

void h1_call_begin(Call *call);
void h1_conn_idle(HttpConn *conn);  /* from now on it is watched */
bool h1_conn_quiet(HttpConn *conn); /* the server has neither said anything nor left */

Err *h2_client_new(HttpConn *conn, H2Client **out) MUST_USE;
void h2_client_free(
	H2Client *client); /* and the connection with it, perhaps later: its fiber may be at work */
bool h2_client_usable(const H2Client *client);
unsigned h2_client_streams(const H2Client *client);
void h2_call_begin(Call *call);
