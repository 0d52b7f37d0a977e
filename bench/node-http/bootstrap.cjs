// A straightforward Node runtime: the Runtime API by node:http over one keep-alive connection, a CommonJS handler,
// the parts of its context that handlers use.
'use strict';

const http = require('node:http');
const path = require('node:path');

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function call(method, where, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const request = http.request({ host, port, method, path: `/2018-06-01/runtime${where}`, headers, agent }, (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(pieces).toString() }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function main() {
  const [file, name] = process.env._HANDLER.split('.');
  const handler = require(path.join(process.env.LAMBDA_TASK_ROOT, file))[name];
  for (;;) {
    const { headers, body } = await call('GET', '/invocation/next');
    const awsRequestId = headers['lambda-runtime-aws-request-id'];
    const deadline = Number(headers['lambda-runtime-deadline-ms']);
    process.env._X_AMZN_TRACE_ID = headers['lambda-runtime-trace-id'];
    const context = {
      awsRequestId,
      functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
      functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
      invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
      getRemainingTimeInMillis: () => deadline - Date.now(),
    };
    try {
      const result = await handler(JSON.parse(body), context);
      await call('POST', `/invocation/${awsRequestId}/response`, JSON.stringify(result));
    } catch (error) {
      const said = { errorType: error.name, errorMessage: error.message, trace: String(error.stack).split('\n') };
      await call('POST', `/invocation/${awsRequestId}/error`, JSON.stringify(said));
    }
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
