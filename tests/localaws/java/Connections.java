import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousSocketChannel;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SocketChannel;

/** Tries each way of Java to the host and port given, and says of each what came of it. */
public class Connections {
    public static void main(String[] arguments) throws Exception {
        String host = arguments[0];
        InetSocketAddress address = new InetSocketAddress(host, Integer.parseInt(arguments[1]));
        String[] ways = {"Socket", "SocketChannel", "AsynchronousSocketChannel", "DatagramChannel", "DatagramSocket"};
        for (int i = 0; i < ways.length; i++) {
            try {
                connect(ways[i], address);
                System.out.println(ways[i] + ": connected");
            } catch (Throwable refused) {
                System.out.println(ways[i] + ": " + refused.getMessage());
            }
        }
        try {
            System.out.println("name: " + InetAddress.getByName(arguments[2]));
        } catch (Throwable refused) {
            System.out.println("name: " + refused.getMessage());
        }
    }

    static void connect(String way, InetSocketAddress address) throws Exception {
        byte[] hello = way.getBytes();
        if (way.equals("Socket")) {
            new Socket(address.getAddress(), address.getPort()).getOutputStream().write(hello);
        } else if (way.equals("SocketChannel")) {
            SocketChannel.open(address).write(ByteBuffer.wrap(hello));
        } else if (way.equals("AsynchronousSocketChannel")) {
            AsynchronousSocketChannel channel = AsynchronousSocketChannel.open();
            channel.connect(address).get();
            channel.write(ByteBuffer.wrap(hello)).get();
        } else if (way.equals("DatagramChannel")) {
            DatagramChannel.open().send(ByteBuffer.wrap(hello), address);
        } else {
            new DatagramSocket().send(new DatagramPacket(hello, hello.length, address));
        }
    }
}
