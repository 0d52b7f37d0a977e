// Runs a Node handler against the Lambda Runtime API.
//
// Everything here is on the way of a cold start or of every invocation: a raw socket instead of node:http, CommonJS
// unless the handler's file is an ES module, nothing loaded before it is needed. Handlers, context, errors and log
// lines behave as under AWS's own runtime client for Node.
'use strict';

const net = require('net');
const fs = require('fs');
const path = require('path');

const API = '/2018-06-01/runtime';

// The function's own, once it is known.
let TASK_ROOT, LOGS_JSON, LEAST, api;

// ---- Errors ---------------------------------------------------------------------------------------------------------

function named(name, message, cause) {
  const error = new Error(message);
  error.name = `Runtime.${name}`;
  // The name is part of the first line of a stack, which was taken before the name was known.
  error.stack = (cause && cause.stack) || error.stack.replace(/^Error/, error.name);
  return error;
}

function isError(value) {
  return value instanceof Error || (value && [value.name, value.message, value.stack].every((x) => typeof x === 'string' && x));
}

/** The body of an error as callers get it. */
function describe(error) {
  try {
    if (isError(error)) {
      return { errorType: error.name, errorMessage: error.message, trace: String(error.stack).split('\n') };
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  } catch {
    const errorMessage = 'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack';
    return { errorType: 'handled', errorMessage };
  }
}

// ---- Console --------------------------------------------------------------------------------------------------------

let requestId;
let format;

function write(text) {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += fs.writeSync(1, bytes, at);
    } catch (error) {
      if (error.code !== 'EAGAIN') return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

// What stands before a line break within an event. No text has it.
const WITHIN = Buffer.from([0xa5, 0x5a, 0, 3, 10]);

/** Writes one log event, whatever line breaks are in it. */
function writeEvent(text) {
  if (!text.includes('\n')) return write(`${text}\n`);
  const pieces = text.split('\n').flatMap((line) => [WITHIN, Buffer.from(line)]);
  write(Buffer.concat([...pieces.slice(1), Buffer.from('\n')]));
}

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];

/** An error within a JSON log, whose own properties are not enumerable. */
function errorInJson(_key, value) {
  if (!isError(value)) return value;
  const { name, message, code, stack } = value;
  return { errorType: name, errorMessage: message, code, ...value, stackTrace: typeof stack === 'string' ? stack.split('\n') : stack };
}

function logJson(level, values) {
  format ??= require('util').format;
  const line = { timestamp: new Date().toISOString(), level, requestId };
  if (values.length === 1 && typeof values[0] === 'object') {
    line.message = values[0];
  } else {
    line.message = format(...values);
    const error = values.find(isError);
    if (error) Object.assign(line, errorInJson('', error));
  }
  let text;
  try {
    text = JSON.stringify(line, errorInJson);
  } catch {
    // It holds itself, or something that JSON doesn't know.
    text = JSON.stringify({ ...line, message: format(...values) });
  }
  write(`${text}\n`);
}

function log(level, values) {
  if (LEVELS.indexOf(level) < LEAST) return;
  if (LOGS_JSON) return logJson(level, values);
  format ??= require('util').format;
  const text = values.length === 1 && typeof values[0] === 'string' ? values[0] : format(...values);
  writeEvent(`${new Date().toISOString()}\t${requestId}\t${level}\t${text}`);
}

function patchConsole() {
  const levels = { trace: 'TRACE', debug: 'DEBUG', log: 'INFO', info: 'INFO', warn: 'WARN', error: 'ERROR', fatal: 'FATAL' };
  for (const [method, level] of Object.entries(levels)) console[method] = (...values) => log(level, values);
}

function logError(words, error) {
  if (LOGS_JSON) return logJson('ERROR', [isError(error) ? error : new Error(error)]);
  const withHidden = (_key, value) => {
    if (!(value instanceof Error)) return value;
    const { name, message, code, stack } = value;
    return { errorType: name, errorMessage: message, code, ...value, stack: typeof stack === 'string' ? stack.split('\n') : stack };
  };
  let text;
  try {
    text = JSON.stringify(isError(error) ? error : new Error(error), withHidden);
  } catch {
    text = JSON.stringify(describe(error));
  }
  log('ERROR', [words, `\t${text}`]);
}

// ---- Runtime API ----------------------------------------------------------------------------------------------------

/** One keep-alive connection. Answers come in the order of the requests; each goes to the function that waits for it. */
class Api {
  constructor(address) {
    this.address = address;
    const at = address.lastIndexOf(':');
    this.target = { host: address.slice(0, at), port: Number(address.slice(at + 1)), noDelay: true };
    this.getNext = `GET ${API}/invocation/next HTTP/1.1\r\nhost: ${address}\r\n\r\n`;
    this.waiting = [];
  }

  connect() {
    const socket = net.connect(this.target);
    this.rest = null;
    socket.on('data', (data) => this.receive(data));
    socket.on('error', (error) => this.lost(error));
    socket.on('close', () => this.lost(new Error('the Runtime API closed the connection')));
    this.socket = socket;
  }

  lost(error) {
    if (this.waiting.length === 0) return;
    write(`${error.message}\n`);
    process.exit(1);
  }

  send(text, ...receivers) {
    if (!this.socket) this.connect();
    // While a handler runs the connection must not keep the event loop alive: an empty loop means something to it.
    this.socket.ref();
    this.waiting.push(...receivers);
    this.socket.write(text);
  }

  receive(data) {
    let bytes = this.rest ? Buffer.concat([this.rest, data]) : data;
    this.rest = null;
    while (bytes.length > 0) {
      const headEnd = bytes.indexOf('\r\n\r\n');
      if (headEnd < 0) break;
      const [first, ...lines] = bytes.latin1Slice(0, headEnd).split('\r\n');
      const headers = {};
      for (const line of lines) {
        const colon = line.indexOf(':');
        headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
      }
      const start = headEnd + 4;
      const length = Number(headers['content-length'] || 0);
      if (bytes.length < start + length) {
        if (length > 65536) return this.receiveLong(bytes, start + length);
        break;
      }
      const receiver = this.waiting.shift();
      const body = bytes.utf8Slice(start, start + length);
      bytes = bytes.subarray(start + length);
      receiver?.(Number(first.slice(9, 12)), headers, body);
    }
    if (bytes.length > 0) this.rest = bytes;
  }

  /** Gathers an answer that comes in many pieces without copying them again with every piece. */
  receiveLong(first, length) {
    const pieces = [first];
    let at = first.length;
    this.socket.removeAllListeners('data');
    this.socket.on('data', (data) => {
      pieces.push(data);
      at += data.length;
      if (at < length) return;
      this.socket.removeAllListeners('data');
      this.socket.on('data', (more) => this.receive(more));
      this.receive(Buffer.concat(pieces));
    });
  }

  post(where, body, more) {
    const length = Buffer.byteLength(body);
    return `POST ${API}${where} HTTP/1.1\r\nhost: ${this.address}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n${more}\r\n${body}`;
  }

  postError(where, error) {
    const body = describe(error);
    const errorType = String(body.errorType).replace(/[^ -~]/g, '');
    return this.post(where, JSON.stringify(body), `lambda-runtime-function-error-type: ${errorType}\r\n`);
  }
}

function ignore() {}

/** Waits for the next invocation, with what is to be posted before it in the same write. */
function next(handler, before, receivers = before ? [ignore] : []) {
  api.send((before || '') + api.getNext, ...receivers, (status, headers, body) => {
    if (status !== 200) {
      write(`the Runtime API refused to give an invocation: ${status} ${body}\n`);
      process.exit(1);
    }
    api.socket.unref();
    // Apart from this turn of the loop, so that an exception is the handler's and not the parser's.
    setImmediate(run, handler, headers, body);
  });
}

// ---- One invocation -------------------------------------------------------------------------------------------------

/** What happens when the event loop runs empty, and when something is thrown that nobody catches. */
let onEmpty = ignore;
let onUncaught = (error, code) => {
  api.send(api.postError('/init/error', error), () => process.exit(code));
};

function run(handler, headers, body) {
  requestId = headers['lambda-runtime-aws-request-id'];
  const traceId = headers['lambda-runtime-trace-id'];
  if (traceId) process.env._X_AMZN_TRACE_ID = traceId;
  else delete process.env._X_AMZN_TRACE_ID;
  const where = `/invocation/${requestId}`;

  let isDone = false;
  let waitsForEmptyLoop = true;
  const settle = (request) => {
    if (isDone) return;
    isDone = true;
    onEmpty = ignore;
    next(handler, request);
  };
  const respond = (value) => {
    let text;
    try {
      text = JSON.stringify(value === undefined ? null : value) ?? 'null';
    } catch {
      return fail(new Error('Unable to stringify response body'));
    }
    settle(api.post(`${where}/response`, text, ''));
  };
  const fail = (error) => {
    if (isDone) return;
    logError('Invoke Error', error);
    settle(api.postError(`${where}/error`, error));
  };
  if (handler[STREAMING]) {
    const end = (request, receivers) => {
      if (isDone) return;
      isDone = true;
      onEmpty = ignore;
      next(handler, request, receivers);
    };
    return runStreaming(handler, headers, body, where, end, fail);
  }

  onEmpty = () => {
    // A promise that can't settle any more is an error; a callback that was forgotten is a null.
    if (handler.constructor.name === 'AsyncFunction') {
      const message = 'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes';
      fail(named('NodeJsExit', message));
    } else {
      respond(null);
    }
  };
  onUncaught = (error, code) => {
    isDone = true;
    api.send(api.postError(`${where}/error`, error), () => process.exit(code));
  };

  let isCalled = false;
  const once = (call) => (...values) => {
    if (isCalled) return;
    isCalled = true;
    call(...values);
  };
  const callback = once((error, value) => {
    if (error !== undefined && error !== null) fail(error);
    else if (!waitsForEmptyLoop) respond(value);
    else onEmpty = () => respond(value);
  });
  const done = (error, value) => (error !== undefined && error !== null ? fail(error) : respond(value));
  const context = {
    get callbackWaitsForEmptyEventLoop() {
      return waitsForEmptyLoop;
    },
    set callbackWaitsForEmptyEventLoop(value) {
      waitsForEmptyLoop = value;
    },
    succeed: once((value) => done(null, value)),
    fail: once((error) => done(error ?? 'handled')),
    done: once(done),
  };

  try {
    describeInvocation(context, headers);
    const result = handler(JSON.parse(body), context, callback);
    if (result && typeof result.then === 'function') result.then(context.succeed, context.fail);
  } catch (error) {
    callback(error ?? 'handled');
  }
}

// ---- Streaming ------------------------------------------------------------------------------------------------------

const STREAMING = Symbol('streaming');
const HTTP_TYPE = 'application/vnd.awslambda.http-integration-response';

/** What a streaming handler writes its answer to; each piece goes out as it comes. */
function responseStream(where) {
  const { Writable } = require('stream');
  let contentType = 'application/octet-stream';
  let hasBegun = false;
  const stream = new Writable({
    write(chunk, _encoding, done) {
      stream.begin();
      if (chunk.length === 0) return done();
      const frame = Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]);
      api.socket.write(frame, done);
    },
  });
  stream.setContentType = (type) => {
    contentType = String(type).replace(/[^ -~]/g, '');
  };
  stream.begin = () => {
    if (hasBegun) return;
    hasBegun = true;
    api.send(
      `POST ${API}${where}/response HTTP/1.1\r\nhost: ${api.address}\r\ncontent-type: ${contentType}\r\n` +
        'lambda-runtime-function-response-mode: streaming\r\ntransfer-encoding: chunked\r\n' +
        'trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n\r\n',
      ignore,
    );
  };
  Object.defineProperty(stream, 'hasBegun', { get: () => hasBegun });
  return stream;
}

function runStreaming(handler, headers, body, where, end, fail) {
  const stream = responseStream(where);
  const isFinished = new Promise((resolve, reject) => stream.on('finish', resolve).on('error', reject));
  const broken = (error) => {
    if (!stream.hasBegun) return fail(error);
    // Too late for an error of its own: it comes behind what was said already.
    logError('Invoke Error', error);
    const described = describe(error);
    const type = String(described.errorType).replace(/[^ -~]/g, '');
    const text = Buffer.from(JSON.stringify(described)).toString('base64');
    end(`0\r\nLambda-Runtime-Function-Error-Type: ${type}\r\nLambda-Runtime-Function-Error-Body: ${text}\r\n\r\n`, []);
  };
  onEmpty = () => broken(named('NodeJsExit', 'The handler has ended, but not its response stream.'));
  onUncaught = (error, code) => {
    broken(error);
    api.socket.end(() => process.exit(code));
  };
  const context = {};
  new Promise((resolve) => {
    describeInvocation(context, headers);
    resolve(handler(JSON.parse(body), stream, context));
  })
    .then(() => isFinished)
    .then(() => {
      stream.begin();
      end('0\r\n\r\n', []);
    })
    .catch(broken);
}

/** What functions find as `awslambda`. */
const awslambda = {
  streamifyResponse(handler) {
    handler[STREAMING] = true;
    return handler;
  },
  HttpResponseStream: {
    /** Status and headers go before the body, eight zeros between them. */
    from(stream, metadata) {
      stream.setContentType(HTTP_TYPE);
      stream.write(Buffer.concat([Buffer.from(JSON.stringify(metadata)), Buffer.alloc(8)]));
      return stream;
    },
  },
};

function describeInvocation(context, headers) {
  const json = (name, label) => {
    const text = headers[name];
    if (text === undefined) return undefined;
    try {
      // Header bytes were read as latin1; the JSON in them is UTF-8.
      return JSON.parse(Buffer.from(text, 'latin1').toString());
    } catch (error) {
      throw new Error(`Cannot parse ${label} as json: ${error}`);
    }
  };
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  Object.assign(context, {
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: json('lambda-runtime-client-context', 'ClientContext'),
    identity: json('lambda-runtime-cognito-identity', 'CognitoIdentity'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: requestId,
    tenantId: headers['lambda-runtime-aws-tenant-id'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  });
}

// ---- Loading --------------------------------------------------------------------------------------------------------

/** Is the nearest package.json above a file one of ES modules? */
function isModuleFolder(folder) {
  for (; !folder.endsWith('/node_modules'); folder = path.dirname(folder)) {
    try {
      return JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')).type === 'module';
    } catch (error) {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') {
        console.warn(`${folder}/package.json cannot be read, it will be ignored for ES module detection purposes.`, error);
        return false;
      }
    }
    if (folder === path.dirname(folder)) return false;
  }
  return false;
}

async function loadModule(root, name) {
  const file = path.resolve(TASK_ROOT, root, name);
  if (fs.existsSync(file) && fs.statSync(file).isFile()) return require(file);
  const importFile = (which) => import(require('url').pathToFileURL(which).href);
  if (fs.existsSync(`${file}.js`)) {
    return isModuleFolder(path.dirname(file)) ? importFile(`${file}.js`) : require(`${file}.js`);
  }
  if (fs.existsSync(`${file}.mjs`)) return importFile(`${file}.mjs`);
  if (fs.existsSync(`${file}.cjs`)) return require(`${file}.cjs`);
  return require(require.resolve(name, { paths: [TASK_ROOT, path.resolve(TASK_ROOT, root)] }));
}

async function load(full) {
  if (full.includes('..')) {
    throw named('MalformedHandlerName', `'${full}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  }
  const base = path.basename(full);
  const dot = base.indexOf('.');
  if (dot < 0) throw named('MalformedHandlerName', 'Bad handler');
  let module;
  try {
    module = await loadModule(full.slice(0, full.indexOf(base)), base.slice(0, dot));
  } catch (error) {
    if (error instanceof SyntaxError) throw named('UserCodeSyntaxError', String(error), error);
    if (error?.code === 'MODULE_NOT_FOUND' || error?.code === 'ERR_MODULE_NOT_FOUND') {
      throw named('ImportModuleError', String(error), error);
    }
    throw error;
  }
  const find = (from) => base.slice(dot + 1).split('.').reduce((value, key) => value && value[key], from);
  // A CommonJS file that was loaded as an ES module has its exports under `default`.
  const handler = find(module) ?? find(module?.default);
  if (!handler) throw named('HandlerNotFound', `${full} is undefined or not exported`);
  if (typeof handler !== 'function') throw named('HandlerNotFound', `${full} is not a function`);
  return handler;
}

// What handlers usually load, and nothing that looks at its environment: loaded while nobody waits.
const USUAL = ['util', 'stream', 'events', 'buffer', 'url', 'querystring', 'crypto', 'zlib', 'http', 'https', 'tls', 'timers/promises'];

/** Uses a connection as it will be used, to this very process: what is needed for that is then loaded and compiled. */
function tryConnection() {
  return new Promise((resolve) => {
    const server = net.createServer((peer) => peer.on('data', () => peer.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')));
    server.listen(0, '127.0.0.1', () => {
      const own = new Api(`127.0.0.1:${server.address().port}`);
      own.send(own.getNext, () => {
        own.socket.on('close', () => server.close(resolve)).destroy();
      });
    });
  });
}

/** Where the interpreter was started before its function was known: waits for it, and becomes its own. */
function waitForFunction(channel) {
  fs.writeSync(channel, 'r');
  const pieces = [];
  for (;;) {
    const piece = Buffer.alloc(65536);
    const length = fs.readSync(channel, piece);
    if (length === 0) break;
    pieces.push(piece.subarray(0, length));
  }
  const [directory, ...variables] = Buffer.concat(pieces).toString().split('\0').slice(0, -1);
  // All anew, so that they come in the same order.
  for (const name of Object.keys(process.env)) delete process.env[name];
  for (const variable of variables) {
    const at = variable.indexOf('=');
    process.env[variable.slice(0, at)] = variable.slice(at + 1);
  }
  process.chdir(directory);
  fs.writeSync(channel, 't');
  fs.closeSync(channel);
}

function main() {
  const channel = process.env._PITBIRD_IDENTITY;
  if (!channel) return start();
  USUAL.forEach((name) => require(name));
  // The loader of ES modules is itself loaded with the first of them.
  Promise.all([tryConnection(), import('data:text/javascript,')]).then(() => {
    waitForFunction(Number(channel));
    start();
  });
}

function knowFunction() {
  TASK_ROOT = process.env.LAMBDA_TASK_ROOT || '/var/task';
  LOGS_JSON = process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
  LEAST = LOGS_JSON ? LEVELS.indexOf((process.env.AWS_LAMBDA_LOG_LEVEL || 'INFO').toUpperCase()) : 0;
  api = new Api(process.env.AWS_LAMBDA_RUNTIME_API);
}

function start() {
  knowFunction();
  patchConsole();
  globalThis.awslambda = awslambda;
  process.on('uncaughtException', (error) => {
    logError('Uncaught Exception', error);
    onUncaught(error, 129);
  });
  process.on('unhandledRejection', (reason) => {
    const error = named('UnhandledPromiseRejection', String(reason));
    error.reason = reason;
    logError('Unhandled Promise Rejection', error);
    onUncaught(error, 128);
  });
  process.on('beforeExit', () => onEmpty());
  load(process.env._HANDLER || '').then(
    (handler) => next(handler),
    (error) => {
      logError('Uncaught Exception', error);
      onUncaught(error, 129);
    },
  );
}

main();
