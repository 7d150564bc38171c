package journal

// OpenWaiting is Open with a wait of one's own for another program that writes.
var OpenWaiting = open
