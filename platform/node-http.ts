/**
 * What a server needs of `node:http`. An `import` of that module reads each of its exports, one of which is a WebSocket
 * client: Node's own copy of undici with it at every start, and nobody here uses it.
 */
export const { createServer, ServerResponse, STATUS_CODES } = process.getBuiltinModule('node:http')
