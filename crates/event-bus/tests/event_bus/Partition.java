import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.HexFormat;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.utils.Utils;

/** Reads lines `key in hexadecimal digits, space, number of partitions`; writes `hash, space, partition` for each. */
class Partition {
    public static void main(String[] arguments) throws Exception {
        var lines = new BufferedReader(new InputStreamReader(System.in));
        var answers = new StringBuilder();
        for (String line; (line = lines.readLine()) != null;) {
            int space = line.indexOf(' ');
            byte[] key = HexFormat.of().parseHex(line.substring(0, space));
            int partitions = Integer.parseInt(line.substring(space + 1));
            answers.append(Utils.murmur2(key)).append(' ')
                .append(BuiltInPartitioner.partitionForKey(key, partitions)).append('\n');
        }
        System.out.print(answers);
    }
}
