"""The look-up page as Lighthouse judges it on a slow telephone network, in every state that it has."""
