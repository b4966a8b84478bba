"""Pure numeric functions of similarities and of classifiers' mistakes."""
