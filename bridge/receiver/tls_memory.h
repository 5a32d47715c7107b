/*
 * The buffers of TLS records, kept at hand.
 *
 * An idle connection holds none (SSL_MODE_RELEASE_BUFFERS), so that thousands of them
 * are cheap; a busy one therefore takes and gives back two of 16 KiB for each request.
 * malloc() keeps no such sizes ready for a thread; this does, a few for each loop.
 */
#ifndef TLS_MEMORY_H
#define TLS_MEMORY_H

/* For the whole process, before anything else calls OpenSSL; else it does nothing. */
void tls_memory_use(void);

/* Gives back what the calling thread keeps: before it ends. */
void tls_memory_release(void);

#endif
