package main

import (
	"os"
	"syscall"
)

func namespaces() *os.ProcAttr {
	return &os.ProcAttr{Sys: &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS}}
}
