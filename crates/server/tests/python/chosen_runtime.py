"""A runtime is served by the program that was chosen for it. Arguments: the runtime, and the version of the program."""

import sys

from given import *

CODE = '''
import os, sys

def handler(event, context):
    return [os.environ["AWS_EXECUTION_ENV"], ".".join(map(str, sys.version_info[:3]))]
'''

RUNTIME, VERSION = sys.argv[1:]
function("chosen", CODE, role("chosen"), Runtime=RUNTIME)
told = invoke("chosen")["Payload"]
assert told == [f"AWS_Lambda_{RUNTIME}", VERSION], told
has(lambda_.get_function_configuration(FunctionName="chosen"), Runtime=RUNTIME)
print("the chosen program serves")
