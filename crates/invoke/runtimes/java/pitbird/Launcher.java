package pitbird;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Paths;
import java.util.Arrays;
import sun.misc.Unsafe;

/**
 * Waits, in a Java that was started before its function was known, for the function, and becomes its runtime client.
 *
 * <p>Arguments: the client's class, and the number of the descriptor by which it is told. What it is told is a directory and the
 * variables, each with a zero behind it. By then the variables are where Java, native libraries, child processes and /proc look for
 * them; Java itself does when somebody first asks for one.
 *
 * <p>Compiled with {@code javac -source 11 -target 11 -g:none}; a test compares.
 */
public final class Launcher implements Runnable {
    private static final String CODE = "/var/task";
    private static final String[] JARS = {"/var/task/lib", "/opt/java/lib"};

    private final ServerSocket server;

    private Launcher(ServerSocket server) {
        this.server = server;
    }

    public static void main(String[] arguments) throws Throwable {
        String client = arguments[0];
        Field field = Unsafe.class.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        Unsafe unsafe = (Unsafe) field.get(null);
        ClassLoader loader = ClassLoader.getSystemClassLoader();
        MethodHandle append = append(unsafe, loader);
        FileDescriptor channel = new FileDescriptor();
        long place = unsafe.objectFieldOffset(FileDescriptor.class.getDeclaredField("fd"));
        unsafe.putInt(channel, place, Integer.parseInt(arguments[1]));
        useConnections();
        FileOutputStream answer = new FileOutputStream(channel);
        answer.write('r');
        readAll(new FileInputStream(channel));
        StringBuilder path = new StringBuilder(CODE);
        for (String folder : JARS) {
            for (String jar : jars(folder)) {
                append.invoke(loader, jar);
                path.append(':').append(jar);
            }
        }
        answer.write('t');
        answer.close();
        String handler = System.getenv("_HANDLER");
        System.setProperty("java.class.path", path.toString());
        System.setProperty("sun.java.command", client + " " + handler);
        try {
            Class<?> main = Class.forName(client, true, loader);
            main.getMethod("main", String[].class).invoke(null, (Object) new String[] {handler});
        } catch (InvocationTargetException thrown) {
            throw thrown.getCause();
        }
    }

    /** What adds a jar to the end of the class path. Agents may do that; this does without one. */
    private static MethodHandle append(Unsafe unsafe, ClassLoader loader) throws ReflectiveOperationException {
        Field field = MethodHandles.Lookup.class.getDeclaredField("IMPL_LOOKUP");
        Object base = unsafe.staticFieldBase(field);
        MethodHandles.Lookup everything = (MethodHandles.Lookup) unsafe.getObject(base, unsafe.staticFieldOffset(field));
        MethodType type = MethodType.methodType(void.class, String.class);
        return everything.findVirtual(loader.getClass(), "appendToClassPathForInstrumentation", type);
    }

    /** The jars of a folder in the order of their names; no link is followed. */
    private static String[] jars(String folder) {
        String[] names = new File(folder).list();
        if (names == null || Files.isSymbolicLink(Paths.get(folder))) return new String[0];
        Arrays.sort(names);
        int count = 0;
        for (String name : names) {
            String jar = folder + "/" + name;
            if (name.endsWith(".jar") && Files.isRegularFile(Paths.get(jar), LinkOption.NOFOLLOW_LINKS)) names[count++] = jar;
        }
        return Arrays.copyOf(names, count);
    }

    private static byte[] readAll(InputStream input) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] piece = new byte[65536];
        for (int count; (count = input.read(piece)) > 0; ) all.write(piece, 0, count);
        return all.toByteArray();
    }

    /** Uses connections as a client will, to this very process: what is needed for that is loaded while nobody waits. */
    private static void useConnections() throws Exception {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread peer = new Thread(new Launcher(server));
            peer.setDaemon(true);
            peer.start();
            for (boolean isPost : new boolean[] {false, true}) {
                URL url = new URL("http://127.0.0.1:" + server.getLocalPort() + "/");
                HttpURLConnection connection = (HttpURLConnection) url.openConnection();
                if (isPost) {
                    connection.setRequestMethod("POST");
                    connection.setDoOutput(true);
                    connection.setFixedLengthStreamingMode(1);
                    try (OutputStream out = connection.getOutputStream()) {
                        out.write('1');
                    }
                }
                try (InputStream in = connection.getInputStream()) {
                    readAll(in);
                }
                connection.getHeaderField("x");
            }
            peer.join();
        }
    }

    @Override
    public void run() {
        byte[] answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        try {
            for (int count = 0; count < 2; count++) {
                try (Socket peer = server.accept()) {
                    peer.getInputStream().read(new byte[1024]);
                    peer.getOutputStream().write(answer);
                }
            }
        } catch (IOException closed) {
            // The other end is told by the same.
        }
    }
}
