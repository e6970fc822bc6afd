import org.apache.flink.kinesis.shaded.com.amazonaws.services.kinesis.producer.KinesisProducer;

/** Starts the Kinesis Producer Library of the connector, as FlinkKinesisProducer does, and says what came of it. */
public class NativeProducer {
    public static void main(String[] arguments) {
        try {
            new KinesisProducer();
            System.out.println("started");
        } catch (Throwable refused) {
            System.out.println(refused.getMessage());
        }
    }
}
