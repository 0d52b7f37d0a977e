// A function in Go with a Runtime API loop of its own, which asks and answers over HTTP as the clients for Go do: one process with many
// threads, keep-alive, an answer in chunks, and a panic that is reported before the process ends.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

var api = "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/"
var client = &http.Client{Timeout: 0}

type event struct {
	Do    string `json:"do"`
	Count int    `json:"count"`
}

func main() {
	for {
		next, err := client.Get(api + "invocation/next")
		if err != nil {
			panic(err)
		}
		payload, err := io.ReadAll(next.Body)
		next.Body.Close()
		if err != nil {
			panic(err)
		}
		id := next.Header.Get("Lambda-Runtime-Aws-Request-Id")
		serve(id, next.Header.Get("Lambda-Runtime-Deadline-Ms"), payload)
	}
}

func serve(id string, deadline string, payload []byte) {
	defer func() {
		if cause := recover(); cause != nil {
			fail(id, "string", fmt.Sprint(cause), string(debug.Stack()))
			os.Exit(1)
		}
	}()
	var asked event
	if err := json.Unmarshal(payload, &asked); err != nil {
		fail(id, "UnmarshalTypeError", err.Error(), "")
		return
	}
	switch asked.Do {
	case "panic":
		panic("as asked")
	case "error":
		fail(id, "errorString", "as asked", "")
	case "stream":
		stream(id)
	case "spin":
		answer(id, map[string]int{"sum": spin(asked.Count)})
	case "escape":
		answer(id, escape())
	case "hang":
		// Goroutines that never yield, on as many threads as there are CPUs.
		for n := 0; n < runtime.NumCPU(); n++ {
			go func() {
				for {
				}
			}()
		}
		select {}
	default:
		answer(id, map[string]string{"deadline": deadline, "how": how(), "arch": runtime.GOARCH})
	}
}

// spin has goroutines work on threads, allocate until the collector runs, and sleep on timers.
func spin(count int) int {
	var all sync.WaitGroup
	sums := make(chan int, count)
	for n := 0; n < count; n++ {
		all.Add(1)
		go func(n int) {
			defer all.Done()
			runtime.LockOSThread()
			held := make([]byte, 256<<10)
			for at := range held {
				held[at] = byte(n)
			}
			time.Sleep(time.Millisecond)
			runtime.GC()
			sums <- int(held[len(held)-1])
		}(n)
	}
	all.Wait()
	close(sums)
	total := 0
	for sum := range sums {
		total += sum
	}
	return total
}

// escape tries what a function must not be able to, and names what worked.
func escape() []string {
	worked := []string{}
	try := func(what string, err error) {
		if err == nil {
			worked = append(worked, what)
		}
	}
	try("writes its code", os.WriteFile("/var/task/new", nil, 0o644))
	_, err := os.ReadFile("/etc/shadow")
	try("reads the host's secrets", err)
	_, err = net.DialTimeout("tcp", "198.51.100.1:80", time.Second)
	try("reaches the world", err)
	_, err = net.ListenPacket("ip4:icmp", "127.0.0.1")
	try("opens a raw socket", err)
	_, err = os.StartProcess("/var/task/bootstrap", nil, namespaces())
	try("makes namespaces", err)
	try("writes to /tmp", os.WriteFile("/tmp/own", []byte("x"), 0o600))
	return worked
}

func answer(id string, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	post("invocation/"+id+"/response", bytes.NewReader(body), nil)
}

// stream answers in chunks, as for a handler that returns a reader.
func stream(id string) {
	reader, writer := io.Pipe()
	go func() {
		for _, piece := range []string{"one ", "two"} {
			writer.Write([]byte(piece))
		}
		writer.Close()
	}()
	post("invocation/"+id+"/response", reader, http.Header{
		"Lambda-Runtime-Function-Response-Mode": {"streaming"},
		"Content-Type":                          {"application/octet-stream"},
	})
}

func fail(id string, kind string, message string, stack string) {
	body, _ := json.Marshal(map[string]any{"errorType": kind, "errorMessage": message, "stackTrace": []string{stack}})
	post("invocation/"+id+"/error", bytes.NewReader(body), http.Header{
		"Lambda-Runtime-Function-Error-Type":       {"Runtime." + kind},
		"Lambda-Runtime-Function-Xray-Error-Cause": {"{}"},
	})
}

func post(path string, body io.Reader, head http.Header) {
	request, err := http.NewRequest("POST", api+path, body)
	if err != nil {
		panic(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for name, values := range head {
		request.Header[name] = values
	}
	reply, err := client.Do(request)
	if err != nil {
		panic(err)
	}
	io.Copy(io.Discard, reply.Body)
	reply.Body.Close()
	if reply.StatusCode != http.StatusAccepted {
		panic(fmt.Sprintf("unexpected status code: %d", reply.StatusCode))
	}
}
