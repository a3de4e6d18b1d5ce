"""scim2-cli with a scim2-tester that can make decimals.

scim2-tester 0.5.2 fills an attribute of type decimal (RFC 7643 section 2.3.3) with a text, which its
own client then refuses to send. Where it looks for examples it is given a number.
"""

import random

from scim2_cli import cli
from scim2_tester import filling

examples = filling.get_random_example_value


def example(path):
    binding = path.resolve()
    if binding is not None and binding.target_type is float:
        return random.choice([0.5, 1.0, 2.5, 4.0, 5.0])
    return examples(path)


if __name__ == "__main__":
    filling.get_random_example_value = example
    cli()
