import java.lang.instrument.ClassFileTransformer;
import java.lang.instrument.Instrumentation;
import java.net.InetAddress;
import java.security.ProtectionDomain;
import java.util.HashSet;
import java.util.Set;
import org.apache.flink.shaded.asm9.org.objectweb.asm.ClassReader;
import org.apache.flink.shaded.asm9.org.objectweb.asm.ClassVisitor;
import org.apache.flink.shaded.asm9.org.objectweb.asm.ClassWriter;
import org.apache.flink.shaded.asm9.org.objectweb.asm.MethodVisitor;
import org.apache.flink.shaded.asm9.org.objectweb.asm.Opcodes;
import org.apache.flink.shaded.asm9.org.objectweb.asm.Type;

/**
 * Sends the AWS SDKs of a JVM to the embedded account, and keeps the JVM's connections on this machine.
 *
 * Classes of the SDKs are known by the ends of their names: a connector brings the SDK in a package of its own.
 * Written without lambdas and generics: the compiler that comes with Flink (Janino) compiles it.
 */
public class AccountAgent implements ClassFileTransformer {

    private static final String HOOKS = "AccountHooks";
    private static final int API = Opcodes.ASM9;
    // Of version 2: the constructor of every client's builder. Of version 1: where a region becomes an address.
    private static final String CLIENT_BUILDER = "awssdk/core/client/builder/SdkDefaultClientBuilder";
    private static final String REGION_ENDPOINT = "amazonaws/internal/DefaultServiceEndpointBuilder";
    private static final String NATIVE_PRODUCER = "amazonaws/services/kinesis/producer/KinesisProducer";
    private static final String NAMES = "java/net/InetAddress";
    private static final String CONNECTIONS = "sun/nio/ch/Net";
    private static final String DATAGRAMS = "sun/nio/ch/DatagramChannelImpl";

    private final Set checks = new HashSet();  // those that were inserted into the JDK

    /** Starts before main. Raises IllegalStateException where this JDK has other methods than those that are checked. */
    public static void premain(String arguments, Instrumentation jvm) throws Exception {
        AccountHooks.hostname = arguments;
        AccountAgent agent = new AccountAgent();
        jvm.addTransformer(agent, true);
        jvm.retransformClasses(new Class[] {
            InetAddress.class, Class.forName("sun.nio.ch.Net"), Class.forName("sun.nio.ch.DatagramChannelImpl")});
        if (agent.checks.size() != 3) {
            throw new IllegalStateException(
                "This Java runtime opens connections in another way than Java 17, so that they cannot be kept on this "
                + "machine: install the requirements of the project.");
        }
    }

    public byte[] transform(
            ClassLoader loader, String name, Class redefined, ProtectionDomain domain, byte[] content) {
        if (name == null) {
            return null;
        }
        if (name.endsWith(CLIENT_BUILDER) || name.endsWith(REGION_ENDPOINT) || name.endsWith(NATIVE_PRODUCER)) {
            return rewrite(content, name);
        }
        if (loader == null && (name.equals(NAMES) || name.equals(CONNECTIONS) || name.equals(DATAGRAMS))) {
            return rewrite(content, name);
        }
        return null;
    }

    private byte[] rewrite(byte[] content, final String name) {
        final String[] setter = new String[1];
        ClassReader reader = new ClassReader(content);
        reader.accept(new ClassVisitor(API) {
            public MethodVisitor visitMethod(int access, String method, String type, String generic, String[] thrown) {
                if (method.equals("endpointOverride") && type.startsWith("(Ljava/net/URI;)")
                        && (access & Opcodes.ACC_BRIDGE) == 0) {
                    setter[0] = type;
                }
                return null;
            }
        }, ClassReader.SKIP_CODE);
        ClassWriter writer = new ClassWriter(reader, ClassWriter.COMPUTE_MAXS);
        final AccountAgent agent = this;
        reader.accept(new ClassVisitor(API, writer) {
            public MethodVisitor visitMethod(int access, String method, String type, String generic, String[] thrown) {
                MethodVisitor code = super.visitMethod(access, method, type, generic, thrown);
                return agent.hook(code, access, name, method, type, setter[0]);
            }
        }, 0);
        return writer.toByteArray();
    }

    private MethodVisitor hook(
            MethodVisitor code, int access, final String owner, String method, String type, final String setter) {
        if (owner.endsWith(CLIENT_BUILDER) && method.equals("<init>")) {
            return new MethodVisitor(API, code) {
                public void visitInsn(int instruction) {
                    if (instruction == Opcodes.RETURN) {
                        super.visitVarInsn(Opcodes.ALOAD, 0);
                        super.visitMethodInsn(Opcodes.INVOKESTATIC, HOOKS, "endpoint", "()Ljava/net/URI;", false);
                        super.visitMethodInsn(Opcodes.INVOKEVIRTUAL, owner, "endpointOverride", setter, false);
                        super.visitInsn(Opcodes.POP);
                    }
                    super.visitInsn(instruction);
                }
            };
        }
        if (owner.endsWith(REGION_ENDPOINT) && method.equals("getServiceEndpoint")) {
            code.visitCode();
            code.visitMethodInsn(Opcodes.INVOKESTATIC, HOOKS, "endpoint", "()Ljava/net/URI;", false);
            code.visitInsn(Opcodes.ARETURN);
            code.visitMaxs(1, 1);
            code.visitEnd();
            return null;
        }
        if (owner.endsWith(NATIVE_PRODUCER) && method.equals("<init>")) {
            return calling(code, "refuseNativeProducer", "()V", -1);
        }
        if (owner.equals(NAMES) && method.equals("getAddressesFromNameService")) {
            return checked(code, access, type, "checkName", "Ljava/lang/String;");
        }
        if (owner.equals(CONNECTIONS) && method.equals("connect")
                && type.startsWith("(Ljava/net/ProtocolFamily;Ljava/io/FileDescriptor;Ljava/net/InetAddress;")) {
            return checked(code, access, type, "checkAddress", "Ljava/net/InetAddress;");
        }
        if (owner.equals(DATAGRAMS) && method.equals("sendFromNativeBuffer")) {
            return checked(code, access, type, "checkAddress", "Ljava/net/InetSocketAddress;");
        }
        return code;
    }

    /** Inserts a call of the hook, with the method's first parameter of that type, before the method's own code. */
    private MethodVisitor checked(MethodVisitor code, int access, String type, String hook, String parameter) {
        int place = (access & Opcodes.ACC_STATIC) == 0 ? 1 : 0;
        Type[] parameters = Type.getArgumentTypes(type);
        for (int i = 0; i < parameters.length; i++) {
            if (parameters[i].getDescriptor().equals(parameter)) {
                checks.add(hook + parameter);
                return calling(code, hook, "(" + parameter + ")V", place);
            }
            place += parameters[i].getSize();
        }
        return code;
    }

    /** Inserts a call of the hook before the method's own code; argument is the place of its one argument, or -1. */
    private MethodVisitor calling(MethodVisitor code, final String hook, final String type, final int argument) {
        return new MethodVisitor(API, code) {
            public void visitCode() {
                super.visitCode();
                if (argument >= 0) {
                    super.visitVarInsn(Opcodes.ALOAD, argument);
                }
                super.visitMethodInsn(Opcodes.INVOKESTATIC, HOOKS, hook, type, false);
            }
        };
    }
}
