/* SPDX-License-Identifier: Apache-2.0
 *
 * load -p PORT -n REQUESTS [-w WARM] [-c CONNECTIONS] [-r RATE] [-t TARGET | -T FILE] [-A FILE] [-b BODY] [-u UPLOAD] [-s] [-1] [-R]
 *
 * The same work for every contender: exactly -w requests, then "warm" on standard output and a wait for a line on standard
 * input, then exactly -n requests and one line of JSON. Between the two lines nothing else happens, so what the contender
 * spends between them is the price of -n requests on connections that are already open.
 *
 *   -c   keep-alive connections, 64     -b  bytes that each answer must have, 128      -s  TLS 1.3
 *   -t   path, /items/42                -u  bytes to send up with POST                 -1  a new connection for each request
 *   -r   requests a second, evenly spaced; without it each connection asks again as   -R  ... with TLS, each resumed
 *        soon as it is answered. Latency counts from when a request was due.
 *   -T   a file of lines "STATUS PATH", asked in turn; of answers that are to be no 200 the length is not looked at
 *   -A   a file of bearer tokens, a line each, sent in turn with the path of -t
 *
 * Every answer must be a 200 of the announced and expected length, on a connection that stays open; anything else ends the
 * program with a sentence and status 1. There is no average over errors. */
#include "net.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/prctl.h>
#include <time.h>

enum { CONNS_MAX = 16384, HEAD_MAX = 4096, EVENTS = 256, SCRATCH = 256 * 1024, STALL_S = 20 };
enum { REQUESTS_MAX = 65536, TOKEN_MAX = 2047 };

typedef enum Phase { IDLE, DIALLING, SHAKING, WRITING, HEAD, BODY, ENDING } Phase;

typedef struct Request {
	char *text;
	size_t len;
	unsigned status; /* that it is to be answered with */
} Request;

typedef struct Conn {
	const Request *request;
	int fd; /* -1: to be dialled */
	Phase phase;
	SSL *ssl;
	int64_t since_ns; /* begun, or due */
	size_t written;   /* of the request */
	uint64_t left;    /* of the answer's body */
	size_t len;       /* of `head` */
	char head[HEAD_MAX];
} Conn;

typedef struct Options {
	uint16_t port;
	uint64_t requests, warm, rate, body, upload;
	unsigned conns;
	const char *target, *targets, *tokens;
	bool tls, once, resume;
} Options;

typedef struct Run {
	Options opt;
	int epoll;
	SSL_CTX *tls;
	SSL_SESSION *session; /* the newest ticket */
	Request *requests;
	size_t request_count;
	Conn conns[CONNS_MAX];
	Conn *idle[CONNS_MAX]; /* a ring: who waited longest is next */
	unsigned idle_at, idle_count;
	uint64_t quota, begun, done; /* of this phase: warming, or measuring */
	uint64_t resumed, dialled;
	int64_t start_ns;
	uint32_t *took_us;
} Run;

static Run run;
static char scratch[SCRATCH];

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int64_t due_ns(uint64_t request)
{
	return run.start_ns + (int64_t)((double)request * 1e9 / (double)run.opt.rate);
}

__attribute__((noreturn)) static void die_tls(const char *what)
{
	ERR_print_errors_fp(stderr);
	errno = 0;
	die("TLS: %s", what);
}

/* Bytes moved; 0: not now. Anything else is the end of the run, but for the end of the stream where it is expected. */
static size_t moved(Conn *conn, ssize_t result, const char *what)
{
	if (result > 0)
		return (size_t)result;
	if (!conn->ssl) {
		if (result < 0 && errno == EAGAIN)
			return 0;
		errno = result < 0 ? errno : 0;
		die("%s: the connection was closed after %llu answers", what,
		    (unsigned long long)run.done);
	}
	switch (SSL_get_error(conn->ssl, (int)result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return 0;
	default:
		die_tls(what);
	}
}

static size_t conn_put(Conn *conn, const char *data, size_t len)
{
	ssize_t result;

	errno = 0;
	result = conn->ssl ? SSL_write(conn->ssl, data, len > 65536 ? 65536 : (int)len)
	                   : send(conn->fd, data, len, MSG_NOSIGNAL);
	return moved(conn, result, "write");
}

static size_t conn_get(Conn *conn, char *data, size_t len)
{
	ssize_t result;

	errno = 0;
	result = conn->ssl ? SSL_read(conn->ssl, data, (int)len) : recv(conn->fd, data, len, 0);
	return moved(conn, result, "read");
}

/* Has the peer closed its side? False: not yet. */
static bool conn_ended(Conn *conn)
{
	ssize_t result = recv(conn->fd, scratch, sizeof scratch, 0);

	while (result > 0)
		result = recv(conn->fd, scratch, sizeof scratch, 0);
	return !result || errno != EAGAIN;
}

static void idle_push(Conn *conn)
{
	conn->phase = IDLE;
	run.idle[(run.idle_at + run.idle_count++) % run.opt.conns] = conn;
}

/* A copy: OpenSSL marks a session of TLS 1.3 as used up once it has been resumed. */
static void offer_session(SSL *ssl)
{
	SSL_SESSION *copy = SSL_SESSION_dup(run.session);

	if (!copy || !SSL_set_session(ssl, copy))
		die_tls("SSL_set_session");
	SSL_SESSION_free(copy);
}

static void conn_dial(Conn *conn)
{
	struct sockaddr_in to = loopback(run.opt.port, 0);

	conn->fd = nonblocking_socket();
	if (connect(conn->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS)
		die("connect");
	watch_or_die(run.epoll, conn->fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, conn);
	conn->phase = DIALLING;
	run.dialled++;
	if (!run.opt.tls)
		return;
	conn->ssl = SSL_new(run.tls);
	if (!conn->ssl || !SSL_set_fd(conn->ssl, conn->fd) ||
	    !SSL_set_tlsext_host_name(conn->ssl, "bench.test"))
		die_tls("SSL_new");
	SSL_set_connect_state(conn->ssl);
	if (run.opt.resume && run.session)
		offer_session(conn->ssl);
}

static void conn_hang_up(Conn *conn)
{
	if (conn->ssl) {
		/* Without this OpenSSL holds the session for broken and does not resume it again. */
		SSL_set_shutdown(conn->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
		SSL_free(conn->ssl);
	}
	conn->ssl = NULL;
	close(conn->fd);
	conn->fd = -1;
}

static void conn_begin(Conn *conn)
{
	conn->since_ns = run.opt.rate ? due_ns(run.begun) : now_ns();
	conn->request = &run.requests[run.begun % run.request_count];
	run.begun++;
	conn->written = conn->len = 0;
	conn->phase = WRITING;
	if (conn->fd < 0)
		conn_dial(conn);
}

/* Each step says whether the next one can be tried at once. */
static bool step_dial(Conn *conn)
{
	int error = 0;
	socklen_t size = sizeof error;
	struct sockaddr_in peer;
	socklen_t peer_size = sizeof peer;

	if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error) {
		errno = error;
		die("connect");
	}
	if (getpeername(conn->fd, (struct sockaddr *)&peer, &peer_size) < 0)
		return false;
	conn->phase = conn->ssl ? SHAKING : WRITING;
	return true;
}

static bool step_shake(Conn *conn)
{
	int result;

	errno = 0;
	result = SSL_do_handshake(conn->ssl);
	if (result <= 0)
		return moved(conn, result, "handshake") > 0;
	if (SSL_session_reused(conn->ssl))
		run.resumed++;
	conn->phase = WRITING;
	return true;
}

static bool step_write(Conn *conn)
{
	const Request *request = conn->request;
	size_t put = conn_put(conn, request->text + conn->written, request->len - conn->written);

	conn->written += put;
	if (conn->written == request->len)
		conn->phase = HEAD;
	return put > 0;
}

static bool conn_finish(Conn *conn)
{
	int64_t took = (now_ns() - conn->since_ns) / 1000;

	run.took_us[run.done++] = took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
	if (run.opt.once) {
		conn->phase = ENDING;
		return true;
	}
	if (run.opt.rate || run.begun == run.quota) {
		idle_push(conn);
		return false;
	}
	conn_begin(conn);
	return true;
}

static bool is_status(const char *head, unsigned status)
{
	char line[13];

	snprintf(line, sizeof line, "HTTP/1.1 %u", status);
	return memcmp(head, line, 12) == 0;
}

static bool step_head(Conn *conn)
{
	size_t got = conn_get(conn, conn->head + conn->len, sizeof conn->head - conn->len), head;
	char *end;
	int64_t length;

	conn->len += got;
	end = memmem(conn->head, conn->len, "\r\n\r\n", 4);
	if (!end && conn->len == sizeof conn->head)
		die("an answer's head is longer than %d bytes", HEAD_MAX);
	if (!end)
		return got > 0;
	errno = 0;
	head = (size_t)(end - conn->head) + 4;
	if (!is_status(conn->head, conn->request->status))
		die("answered with %.*s", (int)head, conn->head);
	length = content_length(conn->head, head);
	if (length < 0 || (conn->request->status == 200 && (uint64_t)length != run.opt.body) ||
	    conn->len - head > (uint64_t)length)
		die("an answer of %lld bytes, not %llu", (long long)length,
		    (unsigned long long)run.opt.body);
	conn->left = (uint64_t)length - (conn->len - head);
	conn->phase = BODY;
	return conn->left || conn_finish(conn);
}

static bool step_body(Conn *conn)
{
	size_t got = conn_get(conn, scratch,
	                      conn->left < sizeof scratch ? (size_t)conn->left : sizeof scratch);

	conn->left -= got;
	return got && (conn->left || conn_finish(conn));
}

static bool step_end(Conn *conn)
{
	if (!conn_ended(conn))
		return false;
	conn_hang_up(conn);
	if (run.begun < run.quota)
		conn_begin(conn);
	else
		idle_push(conn);
	return false;
}

static bool step_idle(Conn *conn)
{
	(void)conn;
	return false;
}

static void conn_step(Conn *conn)
{
	static bool (*const steps[])(Conn *) = {
		[IDLE] = step_idle,     [DIALLING] = step_dial, [SHAKING] = step_shake,
		[WRITING] = step_write, [HEAD] = step_head,     [BODY] = step_body,
		[ENDING] = step_end,
	};

	while (steps[conn->phase](conn))
		;
}

/* Begins what is due on those that are free: all of them before the first can be answered and take a second turn. */
static void begin_due(int64_t now)
{
	Conn *begun[CONNS_MAX];
	unsigned count = 0;

	while (run.idle_count && run.begun < run.quota &&
	       (!run.opt.rate || due_ns(run.begun) <= now)) {
		begun[count] = run.idle[run.idle_at];
		run.idle_at = (run.idle_at + 1) % run.opt.conns;
		run.idle_count--;
		conn_begin(begun[count++]);
	}
	for (unsigned i = 0; i < count; i++)
		conn_step(begun[i]);
}

static void wait_and_step(void)
{
	struct epoll_event events[EVENTS];
	struct timespec wait = { .tv_sec = STALL_S };
	bool timed = run.opt.rate && run.idle_count && run.begun < run.quota;
	int count;

	if (timed) {
		int64_t ns = due_ns(run.begun) - now_ns();

		wait = (struct timespec){ .tv_sec = ns > 0 ? ns / 1000000000 : 0,
			                  .tv_nsec = ns > 0 ? ns % 1000000000 : 0 };
	}
	count = epoll_pwait2(run.epoll, events, EVENTS, &wait, NULL);
	errno = 0;
	if (!count && !timed)
		die("nothing came for %d s after %llu answers", STALL_S,
		    (unsigned long long)run.done);
	for (int i = 0; i < count; i++)
		conn_step(events[i].data.ptr);
}

/* All requests of a phase, and, of connections for one request, their ends. */
static void run_phase(uint64_t requests)
{
	run.quota = requests;
	run.begun = run.done = run.resumed = run.dialled = 0;
	run.start_ns = now_ns();
	while (run.done < run.quota || (run.opt.once && run.idle_count < run.opt.conns)) {
		begin_due(run.opt.rate ? now_ns() : 0);
		wait_and_step();
	}
}

static int session_new(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	SSL_SESSION_free(run.session);
	run.session = session;
	return 1;
}

static void prepare_tls(void)
{
	static const unsigned char alpn[] = "\x08http/1.1";

	run.tls = SSL_CTX_new(TLS_client_method());
	if (!run.tls || !SSL_CTX_set_min_proto_version(run.tls, TLS1_3_VERSION) ||
	    SSL_CTX_set_alpn_protos(run.tls, alpn, sizeof alpn - 1))
		die_tls("SSL_CTX_new");
	SSL_CTX_set_mode(run.tls,
	                 SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(run.tls,
	                               SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
	SSL_CTX_sess_set_new_cb(run.tls, session_new);
}

/* token: empty for none */
static void add_request(unsigned status, const char *target, const char *token)
{
	Request *request = &run.requests[run.request_count++];
	char head[HEAD_MAX], length[64] = "";
	int len;

	if (run.opt.upload)
		snprintf(length, sizeof length, "Content-Length: %llu\r\n",
		         (unsigned long long)run.opt.upload);
	len = snprintf(
		head, sizeof head,
		"%s %s HTTP/1.1\r\nHost: bench.test\r\nUser-Agent: bench/1\r\nAccept: */*\r\n"
		"Cookie: session=8f1c2d3e4b5a69788796a5b4c3d2e1f0\r\n%s%s%s%s%s\r\n",
		run.opt.upload ? "POST" : "GET", target, *token ? "Authorization: Bearer " : "",
		token, *token ? "\r\n" : "", length, run.opt.once ? "Connection: close\r\n" : "");
	if (len >= (int)sizeof head)
		die("the path is too long: %s", target);
	*request = (Request){ malloc((size_t)len + run.opt.upload), (size_t)len + run.opt.upload,
		              status };
	if (!request->text)
		die("memory");
	memcpy(request->text, head, (size_t)len);
	memset(request->text + len, 'u', run.opt.upload);
}

static void prepare_requests(void)
{
	const char *name = run.opt.targets ? run.opt.targets : run.opt.tokens;
	FILE *file = name ? fopen(name, "r") : NULL;
	char target[512], token[TOKEN_MAX + 1];
	unsigned status;

	run.requests = calloc(REQUESTS_MAX, sizeof *run.requests);
	if (!run.requests || (name && !file))
		die("%s", name ? name : "memory");
	if (!file)
		add_request(200, run.opt.target, "");
	while (file && run.opt.tokens && run.request_count < REQUESTS_MAX &&
	       fscanf(file, "%2047s\n", token) == 1)
		add_request(200, run.opt.target, token);
	while (file && run.opt.targets && run.request_count < REQUESTS_MAX &&
	       fscanf(file, "%u %511s\n", &status, target) == 2)
		add_request(status, target, "");
	if (!run.request_count)
		die("nothing in %s", name);
	if (file)
		fclose(file);
}

static void read_options(int argc, char **argv)
{
	Options opt = { .conns = 64, .body = 128, .target = "/items/42" };
	int letter;

	while ((letter = getopt(argc, argv, "p:n:w:c:r:t:T:A:b:u:s1R")) != -1) {
		switch (letter) {
		case 'p':
			opt.port = (uint16_t)number_or_die(optarg, UINT16_MAX);
			break;
		case 'n':
			opt.requests = number_or_die(optarg, 100000000);
			break;
		case 'w':
			opt.warm = number_or_die(optarg, 100000000);
			break;
		case 'c':
			opt.conns = (unsigned)number_or_die(optarg, CONNS_MAX);
			break;
		case 'r':
			opt.rate = number_or_die(optarg, 10000000);
			break;
		case 't':
			opt.target = optarg;
			break;
		case 'T':
			opt.targets = optarg;
			break;
		case 'A':
			opt.tokens = optarg;
			break;
		case 'b':
			opt.body = number_or_die(optarg, UINT32_MAX);
			break;
		case 'u':
			opt.upload = number_or_die(optarg, 1 << 30);
			break;
		case 's':
			opt.tls = true;
			break;
		case '1':
			opt.once = true;
			break;
		case 'R':
			opt.resume = true;
			break;
		default:
			exit(2);
		}
	}
	if (!opt.port || !opt.requests || !opt.conns || (opt.targets && opt.tokens) ||
	    (opt.resume && !(opt.tls && opt.once)))
		die("usage: load -p PORT -n REQUESTS [options]: see the head of load.c");
	run.opt = opt;
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void report(int64_t took_ns)
{
	qsort(run.took_us, run.done, sizeof *run.took_us, compare_u32);
	printf("{\"requests\": %llu, \"seconds\": %.6f, \"dialled\": %llu, \"resumed\": %llu, \"p50_us\": %u, \"p99_us\": %u}\n",
	       (unsigned long long)run.done, (double)took_ns / 1e9, (unsigned long long)run.dialled,
	       (unsigned long long)run.resumed, run.took_us[run.done / 2],
	       run.took_us[run.done - 1 - run.done / 100]);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	uint64_t most;

	read_options(argc, argv);
	prctl(PR_SET_TIMERSLACK, 1);
	most = run.opt.requests + run.opt.warm + run.opt.conns;
	run.took_us = malloc(most * sizeof *run.took_us);
	run.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!run.took_us || run.epoll < 0)
		die("memory");
	if (run.opt.tls)
		prepare_tls();
	prepare_requests();
	for (unsigned i = 0; i < run.opt.conns; i++) {
		run.conns[i].fd = -1;
		idle_push(&run.conns[i]);
	}
	run_phase(run.opt.warm > run.opt.conns ? run.opt.warm : run.opt.conns);
	puts("warm");
	fflush(stdout);
	if (getchar() == EOF)
		return 1;
	run_phase(run.opt.requests);
	report(now_ns() - run.start_ns);
	return 0;
}
