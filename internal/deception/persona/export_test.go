package persona

// LoadIndex lets tests feed indexes of their own.
var LoadIndex = loadIndex
