import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import software.amazon.event.ruler.Machine;

/**
 * Checks every rule of the transformed template against every file of events/, with EventBridge's own matcher. An event that the
 * parsers make a signal of, or that they refuse as unreadable, is matched by exactly one rule; one that asks for nothing by none. The sweep's own events
 * come from a schedule or from the function itself, and the poll puts a record that it cannot read straight into the queue: no rule
 * may let them in.
 *
 * <p>Usage: java -cp '.tools/ruler/*' .ci/Rules.java .tools/transformed.json events
 */
public class Rules {
    // The documentation account of events/.
    private static final String ACCOUNT = "111122223333";
    // Amazon EventBridge user guide, "Quotas": of an event pattern, 2,048 characters.
    private static final int LONGEST = 2048;
    private static final String SWEEP = "clientvpn-responder.sweep";
    private static final ObjectMapper JSON = new ObjectMapper();

    public static void main(String[] arguments) throws Exception {
        List<String> wrong = new ArrayList<>();
        Map<String, String> patterns = new TreeMap<>();
        JsonNode resources = JSON.readTree(Path.of(arguments[0]).toFile()).path("Resources");
        for (Map.Entry<String, JsonNode> resource : resources.properties()) {
            JsonNode pattern = resource.getValue().path("Properties").path("EventPattern");
            if (resource.getValue().path("Type").asText().equals("AWS::Events::Rule") && pattern.isObject()) {
                patterns.put(resource.getKey(), pattern.toString().replace("{\"Ref\":\"AWS::AccountId\"}", '"' + ACCOUNT + '"'));
            }
        }
        Machine machine = Machine.builder().build();
        for (Map.Entry<String, String> rule : patterns.entrySet()) {
            try {
                machine.addRule(rule.getKey(), rule.getValue());
            } catch (Exception refused) {
                wrong.add(rule.getKey() + ": EventBridge refuses the pattern: " + refused.getMessage());
            }
            if (rule.getValue().length() > LONGEST) {
                wrong.add(rule.getKey() + " has a pattern of " + rule.getValue().length() + " characters, and EventBridge takes " + LONGEST);
            }
        }

        TreeSet<String> unused = new TreeSet<>(patterns.keySet());
        List<Path> files;
        try (var listed = Files.walk(Path.of(arguments[1]))) {
            files = listed.filter(f -> f.toString().endsWith(".json")).sorted().toList();
        }
        int acted = 0;
        for (Path file : files) {
            ObjectNode event = (ObjectNode) JSON.readTree(file.toFile());
            boolean straight = event.path("source").asText().equals(SWEEP) || event.path("detail").has("unreadable");
            boolean wanted = !straight && isWanted(Path.of(file.toString().replaceAll("\\.json$", ".golden")));
            List<String> matched = machine.rulesForJSONEvent(event.toString());
            unused.removeAll(matched);
            acted += wanted ? 1 : 0;
            if (matched.size() != (wanted ? 1 : 0)) {
                wrong.add(file + (wanted ? " should be matched by one rule" : " asks for nothing, and should be matched by no rule")
                        + ", and is by " + matched);
            }
            // Where neither AWS nor a partner vouches for the source, another account is nobody.
            if (!event.path("source").asText().startsWith("aws.") && !machine.rulesForJSONEvent(event.put("account", "999988887777").toString()).isEmpty()) {
                wrong.add(file + " is let in from another account");
            }
        }
        for (String rule : unused) {
            wrong.add(rule + " matches no file of " + arguments[1]);
        }
        wrong.forEach(System.err::println);
        System.out.printf("%d rules, %d events: %d matched by one rule, %d look-alikes by none; %d wrong%n",
                patterns.size(), files.size(), acted, files.size() - acted, wrong.size());
        System.exit(wrong.isEmpty() && acted > 0 && !patterns.isEmpty() ? 0 : 1);
    }

    /** What the golden beside the event says: whether there is a signal, or a mistake that somebody should hear of. */
    private static boolean isWanted(Path golden) throws Exception {
        for (JsonNode explanation : JSON.readTree(golden.toFile()).path("explain")) {
            String error = explanation.path("error").asText();
            // A routine notice is let in as a sign of life of its source.
            if (explanation.has("signal") || !error.startsWith("unsupported event") || error.contains("a routine notice")) {
                return true;
            }
        }
        return false;
    }
}
