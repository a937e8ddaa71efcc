// Copyright (c) 2026, the container.schedulers authors
// SPDX-License-Identifier: GPL-3.0-or-later

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/creack/pty"
	cri "k8s.io/cri-api/pkg/apis"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-client/pkg/logs"
	"k8s.io/cri-streaming/pkg/streaming/portforward"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

const idle = time.Hour

// Kubelet serves the containers below a folder: NAMESPACE_POD/CONTAINER/{log,previous.log,enter,ended}.
type Kubelet struct {
	pods   string
	socket string
}

func serve() {
	egress := flag.String("egress", "", "the socket by which the API server reaches nodes and pods")
	certificate := flag.String("tls-cert-file", "", "")
	key := flag.String("tls-private-key-file", "", "")
	authority := flag.String("client-ca-file", "", "who signed the certificates of those who may ask")
	pods := flag.String("pods", "", "the folder of the containers")
	socket := flag.String("socket", "", "where the lab answers for the ports of pods")
	flag.Parse()
	pem, err := os.ReadFile(*authority)
	if err != nil {
		log.Fatal(err)
	}
	clients := x509.NewCertPool()
	clients.AppendCertsFromPEM(pem)
	kubelet := &Kubelet{pods: *pods, socket: *socket}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", kubelet.serveLogs)
	for _, path := range []string{"/{namespace}/{pod}/{container}", "/{namespace}/{pod}/{uid}/{container}"} {
		mux.HandleFunc("/exec"+path, kubelet.serveExec)
	}
	for _, path := range []string{"/{namespace}/{pod}", "/{namespace}/{pod}/{uid}"} {
		mux.HandleFunc("/portForward"+path, kubelet.servePortForward)
	}
	server := &http.Server{
		Handler: mux,
		TLSConfig: &tls.Config{
			ClientAuth: tls.RequireAndVerifyClientCert,
			ClientCAs:  clients,
			NextProtos: []string{"http/1.1"},
		},
	}
	network := &Network{kubelets: make(chan net.Conn), pods: kubelet}
	go func() { log.Fatal(server.ServeTLS(network, *certificate, *key)) }()
	log.Fatal(network.listen(*egress))
}

func (k *Kubelet) folder(request *http.Request) string {
	pod := request.PathValue("namespace") + "_" + request.PathValue("pod")
	return filepath.Join(k.pods, filepath.Base(pod), filepath.Base(request.PathValue("container")))
}

func (k *Kubelet) serveLogs(answer http.ResponseWriter, request *http.Request) {
	folder := k.folder(request)
	options, previous, err := logOptions(request.URL.Query())
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	name := "log"
	if previous {
		name = "previous.log"
	}
	path := filepath.Join(folder, name)
	if _, err := os.Stat(path); err != nil {
		http.Error(answer, absent(request, previous), http.StatusBadRequest)
		return
	}
	out := &flushing{answer}
	if err := logs.ReadLogs(request.Context(), path, folder, options, state{}, out, out); err != nil {
		log.Printf("%s: %v", path, err)
	}
}

// absent is what a kubelet says of a container whose log it does not have.
func absent(request *http.Request, previous bool) string {
	container, pod := request.PathValue("container"), request.PathValue("pod")
	if previous {
		return fmt.Sprintf("previous terminated container %q in pod %q not found", container, pod)
	}
	return fmt.Sprintf("container %q in pod %q is waiting to start: ContainerCreating", container, pod)
}

func logOptions(query url.Values) (*logs.LogOptions, bool, error) {
	options := &logs.LogOptions{Follow: query.Get("follow") == "true", Timestamp: query.Get("timestamps") == "true"}
	var err error
	number := func(name string) *int64 {
		if query.Get(name) == "" {
			return nil
		}
		value, problem := strconv.ParseInt(query.Get(name), 10, 64)
		err = errors.Join(err, problem)
		return &value
	}
	options.TailLines = number("tailLines")
	options.LimitBytes = number("limitBytes")
	if seconds := number("sinceSeconds"); seconds != nil {
		options.Since = time.Now().Add(-time.Duration(*seconds) * time.Second)
	}
	if text := query.Get("sinceTime"); text != "" {
		moment, problem := time.Parse(time.RFC3339, text)
		err = errors.Join(err, problem)
		options.Since = moment
	}
	return options, query.Get("previous") == "true", err
}

// flushing sends every line of a followed log at once.
type flushing struct{ http.ResponseWriter }

func (f *flushing) Write(content []byte) (int, error) {
	written, err := f.ResponseWriter.Write(content)
	f.ResponseWriter.(http.Flusher).Flush()
	return written, err
}

// state tells a reader that follows a log when it ends: a container's id is its folder.
type state struct{ cri.RuntimeService }

func (state) ContainerStatus(_ context.Context, folder string, _ bool) (*runtime.ContainerStatusResponse, error) {
	status := &runtime.ContainerStatus{State: runtime.ContainerState_CONTAINER_RUNNING}
	if _, err := os.Stat(filepath.Join(folder, "running")); err != nil {
		status.State = runtime.ContainerState_CONTAINER_EXITED
	}
	return &runtime.ContainerStatusResponse{Status: status}, nil
}

func (k *Kubelet) serveExec(answer http.ResponseWriter, request *http.Request) {
	options, err := remotecommand.NewOptions(request)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	folder := k.folder(request)
	if _, err := os.Stat(filepath.Join(folder, "running")); err != nil {
		http.Error(answer, fmt.Sprintf("container not found (%q)", request.PathValue("container")), http.StatusInternalServerError)
		return
	}
	remotecommand.ServeExec(answer, request, k, folder, request.PathValue("uid"), request.PathValue("container"),
		request.URL.Query()["command"], options, idle, remotecommand.DefaultStreamCreationTimeout,
		remotecommand.SupportedStreamingProtocols)
}

// ExecInContainer runs the command by the container's own way in; its name is the container's folder.
func (k *Kubelet) ExecInContainer(ctx context.Context, folder, _, _ string, command []string, in io.Reader, out, errOut io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize, _ time.Duration) error {
	program := exec.CommandContext(ctx, filepath.Join(folder, "enter"), command...)
	if tty {
		return inTerminal(program, in, out, resize)
	}
	program.Stdout, program.Stderr = writer(out), writer(errOut)
	if in != nil {
		// Not program.Stdin: Wait would then wait for the client to close its side.
		pipe, err := program.StdinPipe()
		if err != nil {
			return err
		}
		go func() {
			defer pipe.Close()
			_, _ = io.Copy(pipe, in)
		}()
	}
	return exitError(program.Run())
}

func inTerminal(program *exec.Cmd, in io.Reader, out io.WriteCloser, resize <-chan remotecommand.TerminalSize) error {
	terminal, err := pty.Start(program)
	if err != nil {
		return err
	}
	defer terminal.Close()
	go func() {
		for size := range resize {
			_ = pty.Setsize(terminal, &pty.Winsize{Rows: size.Height, Cols: size.Width})
		}
	}()
	if in != nil {
		go func() { _, _ = io.Copy(terminal, in) }()
	}
	_, _ = io.Copy(out, terminal)
	return exitError(program.Wait())
}

// writer keeps a missing stream a nil interface.
func writer(stream io.WriteCloser) io.Writer {
	if stream == nil {
		return nil
	}
	return stream
}

func exitError(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return utilexec.CodeExitError{Err: err, Code: exit.ExitCode()}
	}
	return err
}

func (k *Kubelet) servePortForward(answer http.ResponseWriter, request *http.Request) {
	options, err := portforward.NewV4Options(request)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	pod := request.PathValue("namespace") + "_" + request.PathValue("pod")
	portforward.ServePortForward(answer, request, k, pod, request.PathValue("uid"), options, idle,
		remotecommand.DefaultStreamCreationTimeout, portforward.SupportedProtocols)
}

// PortForward hands a connection to the lab, after one line that says whose it is.
func (k *Kubelet) PortForward(_ context.Context, pod, _ string, port int32, stream io.ReadWriteCloser) error {
	return k.connect(map[string]any{"pod": pod, "port": port}, stream)
}

func (k *Kubelet) connect(target map[string]any, stream io.ReadWriter) error {
	connection, err := net.Dial("unix", k.socket)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := json.NewEncoder(connection).Encode(target); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(connection, stream)
		_ = connection.(*net.UnixConn).CloseWrite()
	}()
	_, err = io.Copy(stream, connection)
	return err
}
