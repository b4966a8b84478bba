"""What messages say of the options that name a dataset's files."""


def option(name: str, parameter: str = "root", value: str = "FOLDER") -> str:
    """How a parameter of a dataset is given: of the main one, and of one in any other role."""
    key = f'"{name}"' if "." in name else name
    anywhere = f"-p defaults.dataset.{key}.{parameter}={value}"
    quoted = f"-p '{anywhere.removeprefix('-p ')}'" if "." in name else anywhere
    return f"`-p dataset.{parameter}={value}` (`{quoted}` where it is not the main dataset)"
