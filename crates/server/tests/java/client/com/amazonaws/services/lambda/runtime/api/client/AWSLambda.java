package com.amazonaws.services.lambda.runtime.api.client;

import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;

/**
 * Stands in for AWS's runtime interface client in tests: its name, its argument and the Runtime API, nothing more. Handlers take and
 * give JSON as text.
 */
public final class AWSLambda {
    private static final String API = "http://" + System.getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/";

    private AWSLambda() {}

    public static void main(String[] arguments) throws Exception {
        Object handler;
        Method method;
        try {
            String[] names = arguments[0].split("::");
            handler = Class.forName(names[0]).getConstructor().newInstance();
            method = handler.getClass().getMethod(names[1], String.class);
        } catch (ReflectiveOperationException fault) {
            post("init/error", error(fault));
            System.exit(1);
            return;
        }
        while (true) {
            HttpURLConnection next = (HttpURLConnection) new URL(API + "invocation/next").openConnection();
            String event;
            try (InputStream body = next.getInputStream()) {
                event = new String(body.readAllBytes(), StandardCharsets.UTF_8);
            }
            String path = "invocation/" + next.getHeaderField("Lambda-Runtime-Aws-Request-Id");
            try {
                post(path + "/response", (String) method.invoke(handler, event));
            } catch (InvocationTargetException fault) {
                post(path + "/error", error(fault.getCause()));
            }
        }
    }

    private static String error(Throwable fault) {
        String words = String.valueOf(fault.getMessage()).replace("\\", "\\\\").replace("\"", "\\\"");
        return "{\"errorMessage\":\"" + words + "\",\"errorType\":\"" + fault.getClass().getName() + "\"}";
    }

    private static void post(String path, String body) throws Exception {
        HttpURLConnection connection = (HttpURLConnection) new URL(API + path).openConnection();
        connection.setRequestMethod("POST");
        connection.setDoOutput(true);
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        connection.setFixedLengthStreamingMode(bytes.length);
        try (OutputStream out = connection.getOutputStream()) {
            out.write(bytes);
        }
        try (InputStream answer = connection.getInputStream()) {
            answer.readAllBytes();
        }
    }
}
