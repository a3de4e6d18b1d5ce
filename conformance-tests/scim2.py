"""scim2-cli with a scim2-tester that knows what it cannot read in a schema.

scim2-tester 0.5.2 fills an attribute of type decimal (RFC 7643 section 2.3.3) with a text, which its
own client then refuses to send. Where it looks for examples it is given a number.

What it makes up for one attribute says nothing of another, and names nothing that is there. The roles
of a user, and the skills, are each in two attributes that must agree, so that both are given the same;
and what is text in a schema and a filter, a permission or a name for the service is given as one.
"""

import random

from scim2_cli import cli
from scim2_tester import filling

examples = filling.get_random_example_value
generate = filling.generate_random_value

# By the model of the suite and its field.
AGREED = {
    ("Roles", "value"): "agent",
    ("RoleGrants", "role"): "agent",
    ("RoleGrants", "division"): "Home",
    ("Skills", "value"): "Sales",
    ("Skills", "type"): "skill",
    ("Skills", "proficiency"): 4.0,
    ("Skills", "active"): True,
    # Who has skills is an agent.
    ("HeadcountUser", "agent"): True,
    # A permission that there is.
    ("Policies", "domain"): "directory",
    ("Policies", "entity_name"): "user",
    ("Policies", "action_set"): "view",
    ("MediaRules", "media"): "voice",
    ("MediaRules", "max_capacity"): 1,
    ("MediaRules", "block_when"): "email ge 1",
    ("MediaRules", "interrupted_by"): "chat",
    ("UserTemplate", "division"): "Home",
    ("UserTemplate", "capacity_rule"): "Calls",
    ("Groups", "display"): "Staff",
    ("ProvisioningRule", "filter"): 'title eq "Agent"',
    ("ProvisioningRule", "template"): "Newcomer",
    ("Connection", "grantable_roles"): "agent",
    # Only such a group has roles,
    ("HeadcountGroup", "kind"): "access",
}

# and it has no capacity rule.
LEFT_OUT = {
    ("HeadcountGroup", "capacity_rule"),
    # A condition is JSON in a text.
    ("Policies", "resource_condition"),
    # A template's group is named by its name.
    ("Groups", "value"),
}

# Of all rules one may be the default, and the suite creates many.
OFF = {("CapacityRule", "default")}


def example(path):
    binding = path.resolve()
    if binding is None:
        return examples(path)
    field = binding.target_field_name
    agreed = AGREED.get((binding.target_model.__name__, field))
    if agreed is not None:
        return agreed
    if field == "skill_set":
        return "Sales=4"
    if binding.target_type is float:
        return random.choice([0.5, 1.0, 2.5, 4.0, 5.0])
    return examples(path)


def value(context, path, **characteristics):
    binding = path.resolve()
    named = binding and (binding.target_model.__name__, binding.target_field_name)
    if named in LEFT_OUT:
        return None
    if named in OFF:
        return False
    return generate(context, path=path, **characteristics)


if __name__ == "__main__":
    filling.get_random_example_value = example
    filling.generate_random_value = value
    cli()
