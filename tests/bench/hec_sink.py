#!/usr/bin/env python3
"""A Splunk HEC that takes all it is sent, as fast as Python can: hec_sink.py PORT FILE

It looks into no envelope: the bodies go to the file as they come.
"""
import asyncio
import sys

HEALTHY = b'{"text":"HEC is healthy","code":17}'
TAKEN = b'{"text":"Success","code":0}'


async def serve(reader, writer, file):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = 0
            for line in head.split(b"\r\n"):
                if line.lower().startswith(b"content-length:"):
                    length = int(line[15:])
            body = await reader.readexactly(length)
            file.write(body)
            answer = HEALTHY if head.startswith(b"GET") else TAKEN
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main():
    with open(sys.argv[2], "ab", buffering=0) as file:
        server = await asyncio.start_server(lambda reader, writer: serve(reader, writer, file),
                                            "127.0.0.1", int(sys.argv[1]), limit=1 << 20)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
