import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;

/**
 * What AccountAgent calls from other classes. It is on the bootstrap class path, so that the JDK and every class loader
 * of an application see it; it needs the JDK alone.
 */
public class AccountHooks {

    /** This machine's own name, which AccountAgent sets: Flink and log4j look it up. */
    public static volatile String hostname = "localhost";

    /** Returns the account's address, which every client of an AWS SDK has until the application names another. */
    public static URI endpoint() {
        return URI.create(System.getenv("AWS_ENDPOINT_URL"));
    }

    /** Refuses to look up the name of another machine: the question to a name server would leave this one. */
    public static void checkName(String host) {
        if (!"localhost".equalsIgnoreCase(host) && !hostname.equalsIgnoreCase(host)) {
            throw refusal(host);
        }
    }

    /** Refuses a connection or a datagram to an address that is not loopback. */
    public static void checkAddress(InetAddress address) {
        if (address != null && !address.isLoopbackAddress() && !address.isAnyLocalAddress()) {
            throw refusal(address.getHostAddress());
        }
    }

    /** As checkAddress(InetAddress). */
    public static void checkAddress(InetSocketAddress address) {
        if (address != null) {
            checkAddress(address.getAddress());
        }
    }

    /** Refuses the Kinesis Producer Library: its native program would call AWS past everything above. */
    public static void refuseNativeProducer() {
        throw new UnsupportedOperationException(
            "FlinkKinesisProducer writes through a native program (the Kinesis Producer Library), which cannot reach "
            + "the account: use KinesisStreamsSink, or a table with the connector 'kinesis'.");
    }

    private static SecurityException refusal(String address) {
        return new SecurityException(
            "Nothing of an application leaves this machine, and " + address + " is not on it. Name no endpoint: with "
            + "its region alone a client of AWS reaches the account at " + System.getenv("AWS_ENDPOINT_URL") + ".");
    }
}
