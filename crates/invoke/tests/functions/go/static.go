//go:build !cgo

package main

func how() string { return "static" }
