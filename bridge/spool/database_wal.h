/*
 * SQLite's WAL, written in large pieces.
 *
 * SQLite hands its VFS each frame in two writes, 24 bytes and a page, so that a commit of
 * twelve pages costs 24 system calls and as many small pieces of page cache.  This VFS is
 * SQLite's own but for one thing: what is written to a WAL one after the other is gathered
 * and goes to the file in one piece, at the latest when it is synced or read.
 *
 * Only for connections with synchronous=FULL: there each commit syncs the WAL before it
 * tells readers, in other processes too, that there is something new in it.
 */
#ifndef DATABASE_WAL_H
#define DATABASE_WAL_H

/* The name of the VFS for sqlite3_open_v2(); any thread.  Aborts where there is no memory. */
const char *database_wal_vfs(void);

#endif
