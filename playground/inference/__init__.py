"""From a drawing or a picture to an answer: what a network is shown, which networks there are, what they say."""
