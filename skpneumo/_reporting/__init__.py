"""What the HTML reports share: base template and styles, figures as SVG, images as data URIs."""
