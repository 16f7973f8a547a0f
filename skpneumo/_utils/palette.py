"""Colours of the displays, which reports replace by those of their page."""

# Of Okabe and Ito: people with colour blindness can distinguish them.
BLUE, VERMILION = "#0072B2", "#D55E00"
GREY = "#595959"
