"""What Somos asks of the outside, as Protocols and plain values; who answers is `somos.wiring`'s business."""
