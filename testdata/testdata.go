package testdata

import (
	"embed"
	"io/fs"
)

//go:embed mail/*.eml
var messages embed.FS

// Mail returns the messages, one file each, without a folder in front of their names.
func Mail() fs.FS {
	sub, err := fs.Sub(messages, "mail")
	if err != nil {
		panic("testdata: the embedded folder has another name than its directive: " + err.Error())
	}
	return sub
}
