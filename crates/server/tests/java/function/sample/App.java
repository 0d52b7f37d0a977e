package sample;

import java.io.File;
import java.io.InputStream;
import java.lang.management.GarbageCollectorMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/** A function that does what it is told and says what it finds. */
public class App {
    private int count = 0;
    private final List<byte[]> kept = new ArrayList<>();

    public String handle(String event) throws Exception {
        count++;
        switch (event.replace("\"", "")) {
            case "fail":
                System.out.println("about to fail, naïvely");
                throw new IllegalStateException("as \"asked\"");
            case "exit":
                System.exit(3);
                return "";
            case "eat":
                try {
                    while (true) {
                        kept.add(new byte[1 << 20]);
                    }
                } catch (OutOfMemoryError full) {
                    int eaten = kept.size();
                    kept.clear();
                    return "{\"eaten\":" + eaten + ",\"count\":" + count + "}";
                }
            case "threads":
                return "{\"threads\":" + threads(400) + "}";
            case "host":
                return host();
            default:
                return facts(event);
        }
    }

    private String facts(String event) throws Exception {
        List<String> collectors = new ArrayList<>();
        for (GarbageCollectorMXBean collector : ManagementFactory.getGarbageCollectorMXBeans()) {
            collectors.add(collector.getName());
        }
        return "{\"event\":" + event
            + ",\"count\":" + count
            + ",\"java\":\"" + System.getProperty("java.version")
            + "\",\"path\":\"" + System.getProperty("java.class.path")
            + "\",\"mine\":\"" + System.getProperty("mine")
            + "\",\"options\":\"" + String.join(" ", ManagementFactory.getRuntimeMXBean().getInputArguments())
            + "\",\"collectors\":\"" + String.join(",", collectors)
            + "\",\"charset\":\"" + Charset.defaultCharset()
            + "\",\"heap_kib\":" + Runtime.getRuntime().maxMemory() / 1024
            + ",\"handler\":\"" + System.getenv("_HANDLER")
            + "\",\"execution\":\"" + System.getenv("AWS_EXECUTION_ENV")
            + "\",\"colour\":\"" + System.getenv("COLOUR")
            + "\",\"place\":\"" + new File("").getAbsolutePath()
            + "\",\"here\":\"" + here()
            + "\",\"has_same_variables\":" + hasSameVariables()
            + ",\"began_ms\":" + ManagementFactory.getRuntimeMXBean().getStartTime()
            + ",\"tmp\":" + new File("/tmp").list().length + "}";
    }

    /** What lies in the working directory. */
    private static String here() {
        String[] names = new File(".").list();
        Arrays.sort(names);
        return String.join(",", names);
    }

    /** Do this process, the kernel and a child see the same variables? */
    private static boolean hasSameVariables() throws Exception {
        Set<String> own = new TreeSet<>();
        System.getenv().forEach((name, value) -> own.add(name + "=" + value));
        byte[] kernels = Files.readAllBytes(Paths.get("/proc/self/environ"));
        Process child = new ProcessBuilder("cat", "/proc/self/environ").start();
        byte[] childs = child.getInputStream().readAllBytes();
        for (byte[] seen : new byte[][] {kernels, childs}) {
            Set<String> variables = new TreeSet<>(Arrays.asList(new String(seen).split("\0")));
            if (!variables.equals(own)) {
                return false;
            }
        }
        return true;
    }

    /** So many threads that all run at the same time. */
    private static int threads(int wanted) throws Exception {
        CountDownLatch running = new CountDownLatch(wanted);
        CountDownLatch end = new CountDownLatch(1);
        for (int number = 0; number < wanted; number++) {
            Thread thread = new Thread(() -> {
                running.countDown();
                try {
                    end.await();
                } catch (InterruptedException ignored) {
                    // It ends all the same.
                }
            });
            thread.setDaemon(true);
            thread.start();
        }
        running.await();
        int count = Thread.activeCount();
        end.countDown();
        return count;
    }

    /** What Java needs of the host: certificates, programs, its own settings, and libraries that are unpacked into /tmp. */
    private static String host() throws Exception {
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init((KeyStore) null);
        int authorities = 0;
        for (TrustManager manager : factory.getTrustManagers()) {
            authorities += ((X509TrustManager) manager).getAcceptedIssuers().length;
        }
        javax.net.ssl.SSLContext.getDefault();
        Process process = new ProcessBuilder("/bin/echo", "child").start();
        String said;
        try (InputStream out = process.getInputStream()) {
            said = new String(out.readAllBytes()).trim();
        }
        Path library = Paths.get("/tmp/library.so");
        Files.copy(Paths.get(System.getProperty("java.home"), "lib", "libprefs.so"), library);
        System.load(library.toString());
        return "{\"authorities\":" + authorities + ",\"said\":\"" + said + "\",\"exit\":" + process.waitFor()
            + ",\"zone\":\"" + java.util.TimeZone.getDefault().getID() + "\"}";
    }
}
