"""HTML pages from the base template."""


def render_page(package, template, *, embedded, **context):
    """Render a template that extends ``base.html.jinja``.

    Parameters
    ----------
    package : str
        Dotted name of the package that holds the template.
    template : str
        File name of the template. Everything in it is escaped unless marked safe.
    embedded : bool
        Whether to render a part of another page, such as a notebook, rather than a whole page.
    **context : object
        Variables of the template.

    Returns
    -------
    str
        HTML that needs no other file and no network.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader

    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package, "."), PackageLoader(__package__, ".")]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(embedded=embedded, **context)
