# Runs a Python handler against the Lambda Runtime API.
#
# Everything here is on the way of a cold start or of every invocation, so it imports only what the interpreter has
# built in: a raw socket instead of http.client, the C half of json instead of the package (whose `re` takes longer to
# load than Python itself), and what needs more only when it is needed. Handlers, context, errors and log lines
# behave as under AWS's own runtime client for Python.

import os
import sys
from _socket import socket, AF_INET, IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY
from time import time

RECEIVE_BYTES = 65536
API = "/2018-06-01/runtime"


class Fault(Exception):
    """A failure that AWS gives a name of its own."""

    def __init__(self, error_type, message, trace=()):
        super().__init__(message)
        self.error_type, self.message, self.trace = error_type, message, list(trace)


# ---- JSON -----------------------------------------------------------------------------------------------------------


class _Grammar:
    strict = True
    object_hook = object_pairs_hook = None
    parse_float, parse_int = float, int
    parse_constant = {"-Infinity": float("-inf"), "Infinity": float("inf"), "NaN": float("nan")}.__getitem__
    memo = {}


def _json_functions():
    # From 3.12 on AWS's client writes text as it is; before that, escaped.
    is_ascii = sys.version_info < (3, 12)
    try:
        import _json

        scan = _json.make_scanner(_Grammar)
        escape = _json.encode_basestring_ascii if is_ascii else _json.encode_basestring
        encode = _json.make_encoder(None, _plain, escape, None, ": ", ", ", False, False, True)
        assert "".join(encode({"a": [1, 1.5, None]}, 0)) == '{"a": [1, 1.5, null]}'
        assert scan('{"a": [1]}', 0) == ({"a": [1]}, 10)
    except Exception:
        import json

        return json.loads, lambda value: json.dumps(value, default=_plain, ensure_ascii=is_ascii)

    def loads(data):
        text = data.decode("utf-8").strip(" \t\n\r")
        try:
            value, end = scan(text, 0)
        except StopIteration as stop:
            value, end = None, -1 - stop.value
        if end != len(text):
            import json

            return json.loads(text)  # Says what is wrong, and where.
        return value

    def dumps(value):
        try:
            return "".join(encode(value, 0))
        except _HasDecimal:
            return _dumps_decimals(value, is_ascii)
        except RecursionError:
            raise ValueError("Circular reference detected") from None

    return loads, dumps


class _HasDecimal(Exception):
    pass


def _plain(value):
    if isinstance(value, bytes):
        return value.decode("utf-8")
    decimal = sys.modules.get("decimal")
    if decimal and isinstance(value, decimal.Decimal):
        if value.is_nan():
            return float("nan")
        raise _HasDecimal
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


def _dumps_decimals(value, is_ascii):
    # A decimal is written as a number with all of its digits, which no hook of the json package can do: mark them
    # with a text that nothing else contains, and unwrap the marks.
    import json
    from decimal import Decimal

    mark = "\ue000%d\ue001" % id(value)

    def default(item):
        if isinstance(item, Decimal) and not item.is_nan():
            return mark + str(item) + mark
        return _plain(item)

    text = json.dumps(value, default=default, ensure_ascii=is_ascii)
    quoted = json.dumps(mark, ensure_ascii=is_ascii)[1:-1]
    return text.replace('"' + quoted, "").replace(quoted + '"', "")


# ---- Runtime API ----------------------------------------------------------------------------------------------------


class Api:
    """One keep-alive connection."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.address, self.host = (host, int(port)), address.encode()
        self.socket = None
        self.rest = b""
        self.next_request = b"GET %s/invocation/next HTTP/1.1\r\nhost: %s\r\n\r\n" % (API.encode(), self.host)

    def connect(self):
        self.rest = b""
        self.socket = socket(AF_INET, SOCK_STREAM, 0)
        self.socket.connect(self.address)
        self.socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)

    def send(self, data):
        if self.socket is None:
            self.connect()
        self.socket.sendall(data)

    def receive(self):
        """One answer: status, headers by lower-case name, body."""
        data = self.rest
        head_end = data.find(b"\r\n\r\n")
        while head_end < 0:
            more = self.socket.recv(RECEIVE_BYTES)
            if not more:
                raise ConnectionError("the Runtime API closed the connection")
            data += more
            head_end = data.find(b"\r\n\r\n")
        lines = data[:head_end].decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        start = head_end + 4
        length = int(headers.get("content-length", 0))
        missing = start + length - len(data)
        if missing <= 0:
            self.rest = data[start + length :]
            return int(lines[0][9:12]), headers, data[start : start + length]
        body = bytearray(length)
        at = len(data) - start
        body[:at] = data[start:]
        view = memoryview(body)
        while at < length:
            count = self.socket.recv_into(view[at:])
            if not count:
                raise ConnectionError("the Runtime API closed the connection")
            at += count
        self.rest = b""
        return int(lines[0][9:12]), headers, body

    def post(self, path, body, content_type, more="", follow=b""):
        head = "POST %s%s HTTP/1.1\r\nhost: %s\r\ncontent-type: %s\r\ncontent-length: %d\r\n%s\r\n" % (
            API, path, self.host.decode(), content_type, len(body), more)
        self.send(head.encode("latin-1") + body + follow)

    def post_error(self, path, error, follow=b""):
        error_type = "".join(c for c in error["errorType"] if " " <= c <= "~")
        body = dumps(error).encode("utf-8", "replace")
        self.post(path, body, "application/json", "lambda-runtime-function-error-type: %s\r\n" % error_type, follow)


# ---- Context --------------------------------------------------------------------------------------------------------


class _Fields:
    __slots__ = ()

    def __init__(self, values):
        for name in self.__slots__:
            setattr(self, name, values.get(name))

    def __repr__(self):
        fields = ",".join("%s=%s" % (name, getattr(self, name)) for name in self.__slots__)
        return "%s([%s])" % (type(self).__name__, fields)


class CognitoIdentity(_Fields):
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")


class Client(_Fields):
    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


class ClientContext(_Fields):
    __slots__ = ("custom", "env", "client")


class LambdaContext:
    # The function's own, once it is known.
    function_name = function_version = memory_limit_in_mb = log_group_name = log_stream_name = None

    def __init__(self, headers):
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        self._deadline_ms = int(headers.get("lambda-runtime-deadline-ms", 0))
        self.client_context = self._client_context(headers.get("lambda-runtime-client-context"))
        self.identity = self._identity(headers.get("lambda-runtime-cognito-identity"))

    @staticmethod
    def _client_context(text):
        values = _parse_header(text, "Client Context")
        if values is None:
            return None
        context = ClientContext(values)
        context.client = Client(context.client) if context.client is not None else None
        return context

    @staticmethod
    def _identity(text):
        values = _parse_header(text, "Cognito Identity") or {}
        ids = ("cognitoIdentityId", "cognitoIdentityPoolId")
        return CognitoIdentity(dict(zip(CognitoIdentity.__slots__, map(values.get, ids))))

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline_ms - int(time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        names = ("aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb",
                 "function_version", "invoked_function_arn", "client_context", "identity", "tenant_id")
        return "LambdaContext([%s])" % ",".join("%s=%s" % (name, getattr(self, name)) for name in names)


def _parse_header(text, name):
    if not text:
        return None
    try:
        # Header bytes were read as latin-1; the JSON in them is UTF-8.
        return loads(text.encode("latin-1"))
    except Exception as error:
        message = "Unable to parse %s JSON: %s" % (name, error)
        raise Fault("Runtime.LambdaContextUnmarshalError", message) from None


# ---- Logging --------------------------------------------------------------------------------------------------------

request_id = None

# What stands before a line break within an event, and where an event ends that ends with none. No text has it.
WITHIN, LAST = b"\xa5\x5a\x00\x03\n", b"\xa5\x5a\x00\x02\n"


def write_event(text):
    """Writes one log event, whatever line breaks are in it. What `print` writes is an event a line."""
    data = text.encode("utf-8", "backslashreplace")
    if data.endswith(b"\n"):
        data = data[:-1].replace(b"\n", WITHIN) + b"\n"
    else:
        data = data.replace(b"\n", WITHIN) + LAST
    out = sys.__stdout__
    out.flush()
    out.buffer.write(data)
    out.buffer.flush()


class _LoggingHook:
    """Gives the root logger Lambda's handler as soon as somebody imports `logging`, and not before."""

    def find_spec(self, name, path=None, target=None):
        if name != "logging":
            return None
        sys.meta_path.remove(self)
        spec = None
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec:
                break
        if spec:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                _install_handler(module)

            spec.loader.exec_module = exec_module
        return spec


def _install_handler(logging):
    from time import gmtime

    class Handler(logging.Handler):
        def emit(self, record):
            write_event(self.format(record))

    def add_request_id(record):
        record.aws_request_id = request_id or ""
        return True

    handler = Handler()
    if LOGS_JSON:
        handler.setFormatter(_json_formatter(logging))
        handler.addFilter(add_request_id)
        logging.getLogger().addHandler(handler)
        # Lambda knows a level below Python's lowest and calls the highest another name.
        level = {"TRACE": "NOTSET", "FATAL": "CRITICAL"}.get(LOG_LEVEL, LOG_LEVEL)
        logging.getLogger().setLevel(level)
        return
    form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
    formatter = logging.Formatter(form, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = gmtime
    handler.setFormatter(formatter)
    handler.addFilter(add_request_id)
    logging.getLogger().addHandler(handler)


def _json_formatter(logging):
    import json
    from time import gmtime

    # What a record has in any case; anything else was given by whoever logs.
    usual = set(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"aws_request_id", "message", "asctime"}

    class JsonFormatter(logging.Formatter):
        converter = gmtime

        def format(self, record):
            line = {
                "timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
                "level": record.levelname,
                "message": record.getMessage(),
                "logger": record.name,
                "requestId": record.aws_request_id or None,
            }
            if record.exc_info:
                error_type, error, trace = record.exc_info
                if trace:
                    line["stackTrace"] = self.formatException(record.exc_info).splitlines()
                line["errorType"] = error_type.__name__ if error_type else None
                line["errorMessage"] = str(error)
                line["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
            line.update((name, value) for name, value in record.__dict__.items() if name not in usual)
            line = {name: value for name, value in line.items() if value is not None}
            return json.dumps(line, ensure_ascii=False, default=str) + "\n"

    return JsonFormatter()


def log_error(error):
    if LOGS_JSON:
        import json
        from time import gmtime, strftime

        line = {"timestamp": strftime("%Y-%m-%dT%H:%M:%SZ", gmtime()), "log_level": "ERROR", "level": "ERROR", **error}
        write_event(json.dumps(line, ensure_ascii=False) + "\n")
        return
    lines = ["[ERROR] " + ": ".join(filter(None, (error["errorType"], error["errorMessage"])))]
    lines.append("Traceback (most recent call last):")
    for part in error["stackTrace"]:
        for line in part.splitlines() or [""]:
            stripped = line.lstrip(" ")
            lines.append("\u00a0" * (len(line) - len(stripped)) + stripped)
    write_event("\n".join(lines))


WARNING = (
    "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. However, in rare cases, "
    "a Lambda runtime update can cause unexpected function behavior. For functions using managed runtimes, runtime updates "
    "can be triggered by a function change, or can be applied automatically. To determine if the runtime has been updated, "
    "check the runtime version in the INIT_START log entry. If this error correlates with a change in the runtime version, "
    "you may be able to mitigate this error by temporarily rolling back to the previous runtime version. For more "
    "information, see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html\r"
)


def warn_of_start():
    """What AWS's client says before it says why a handler couldn't be loaded."""
    try:
        import logging

        logging.warning(WARNING)
    except Exception:
        pass  # A module of the function's own is in the way; the error itself is told all the same.


def _error(message, error_type, trace, invocation):
    return {"errorMessage": message, "errorType": error_type, "requestId": invocation, "stackTrace": trace}


def describe(exception, invocation=""):
    """The error body of an exception, without this file's own frames."""
    if isinstance(exception, Fault):
        return _error(exception.message, exception.error_type, exception.trace, invocation)
    import traceback

    frames = traceback.extract_tb(exception.__traceback__)
    own = describe.__code__.co_filename
    for at, frame in enumerate(frames):
        if frame.filename != own and not frame.filename.startswith("<frozen importlib"):
            frames = frames[at:]
            break
    else:
        frames = []
    trace = traceback.format_list(frames)
    return _error(str(exception), type(exception).__name__, trace, invocation)


# ---- Handler --------------------------------------------------------------------------------------------------------


def load(handler):
    name, dot, function = handler.rpartition(".")
    if not dot:
        message = "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % handler
        raise Fault("Runtime.MalformedHandlerName", message)
    if name.split(".")[0] in sys.builtin_module_names:
        message = "Cannot use built-in module %s as a handler module" % name
        raise Fault("Runtime.BuiltInModuleConflict", message)
    path = name.replace("/", ".")
    try:
        __import__(path)
        module = sys.modules[path]
    except ImportError as error:
        message = "Unable to import module '%s': %s" % (name, error)
        raise Fault("Runtime.ImportModuleError", message) from None
    except SyntaxError as error:
        trace = ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, error.text)]
        message = "Syntax error in module '%s': %s" % (name, error)
        raise Fault("Runtime.UserCodeSyntaxError", message, trace) from None
    try:
        return getattr(module, function)
    except AttributeError:
        message = "Handler '%s' missing on module '%s'" % (function, name)
        raise Fault("Runtime.HandlerNotFound", message) from None


# What handlers usually import, and nothing that looks at its environment: loaded while nobody waits.
USUAL = ("json", "datetime", "base64", "string", "threading", "traceback", "typing", "urllib.parse", "uuid")


def wait_for_function(channel):
    """Where the interpreter was started before its function was known: waits for it, and becomes its own."""
    before = set(sys.modules)
    for name in USUAL:
        __import__(name)
    early = [name for name in sys.modules if name not in before]
    os.write(channel, b"r")
    said = b""
    while True:
        more = os.read(channel, RECEIVE_BYTES)
        if not more:
            break
        said += more
    directory, *variables = os.fsdecode(said).split("\0")[:-1]
    # The interpreter's own addition (PEP 538), also after a fresh start.
    coerced = os.environ.get("LC_CTYPE")
    os.environ.clear()
    for variable in variables:
        name, _, value = variable.partition("=")
        os.environ[name] = value
    if coerced is not None:
        os.environ["LC_CTYPE"] = coerced
    os.chdir(directory)
    os.write(channel, b"t")
    os.close(channel)
    return early


def forget_hidden(early):
    """A function's own module `json` is its own in everybody's eyes: what was loaded early is loaded anew."""
    tops = {name.partition(".")[0] for name in early}
    for path in sys.path[:3]:
        try:
            names = os.listdir(path)
        except OSError:
            continue
        if not tops.isdisjoint(name.partition(".")[0] for name in names):
            for name in early:
                sys.modules.pop(name, None)
            return


def know_function():
    global TASK_ROOT, LOGS_JSON, LOG_LEVEL
    find = os.environ.get
    TASK_ROOT = find("LAMBDA_TASK_ROOT", "/var/task")
    LOGS_JSON = find("AWS_LAMBDA_LOG_FORMAT") == "JSON"
    LOG_LEVEL = find("AWS_LAMBDA_LOG_LEVEL", "INFO").upper()
    LambdaContext.function_name = find("AWS_LAMBDA_FUNCTION_NAME")
    LambdaContext.function_version = find("AWS_LAMBDA_FUNCTION_VERSION")
    LambdaContext.memory_limit_in_mb = find("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    LambdaContext.log_group_name = find("AWS_LAMBDA_LOG_GROUP_NAME")
    LambdaContext.log_stream_name = find("AWS_LAMBDA_LOG_STREAM_NAME")


def prepare():
    version = "python%d.%d" % sys.version_info[:2]
    own = os.path.dirname(__file__)
    rest = [entry for entry in sys.path if entry not in ("", own, TASK_ROOT)]
    sys.path[:] = [TASK_ROOT, "/opt/python/lib/%s/site-packages" % version, "/opt/python", *rest]
    sys.meta_path.insert(0, _LoggingHook())
    if not hasattr(sys.modules["builtins"], "exit"):
        # The interpreter starts without `site`, which would define them.
        from _sitebuiltins import Quitter

        sys.modules["builtins"].exit = Quitter("exit", "Ctrl-D (i.e. EOF)")
        sys.modules["builtins"].quit = Quitter("quit", "Ctrl-D (i.e. EOF)")
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass  # The handler closed or replaced it.


def answer(api, handler, headers, body):
    """Runs the handler and posts what comes of it, with the call for the next invocation right behind."""
    global request_id
    request_id = headers["lambda-runtime-aws-request-id"]
    trace_id = headers.get("lambda-runtime-trace-id")
    if trace_id:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    path = "/invocation/" + request_id
    try:
        context = LambdaContext(headers)
        try:
            event = loads(body)
        except Exception as error:
            raise Fault("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error) from None
        result = handler(event, context)
        if isinstance(result, bytes):
            payload, content_type = result, "application/unknown"
        else:
            try:
                payload, content_type = dumps(result).encode("utf-8"), "application/json"
            except Exception as error:
                raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % error) from None
    except Exception as exception:
        error = describe(exception, request_id)
        log_error(error)
        flush()
        api.post_error(path + "/error", error, api.next_request)
    else:
        flush()
        api.post(path + "/response", payload, content_type, "", api.next_request)


def main():
    channel = os.environ.get("_PITBIRD_IDENTITY")
    early = wait_for_function(int(channel)) if channel else ()
    know_function()
    prepare()
    if early:
        forget_hidden(early)
    api = Api(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load(os.environ.get("_HANDLER", ""))
    except Exception as exception:
        error = describe(exception)
        warn_of_start()
        log_error(error)
        flush()
        api.post_error("/init/error", error)
        api.receive()
        sys.exit(1)
    api.send(api.next_request)
    while True:
        status, headers, body = api.receive()
        if status != 200:
            raise SystemExit("the Runtime API refused to give an invocation: %d %s" % (status, bytes(body)))
        answer(api, handler, headers, body)
        status, headers, body = api.receive()
        if headers.get("connection") == "close":
            api.connect()
            api.send(api.next_request)


loads, dumps = _json_functions()

if __name__ == "__main__":
    main()
