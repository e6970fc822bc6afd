import java.io.File;
import org.codehaus.commons.compiler.ICompiler;
import org.codehaus.janino.CompilerFactory;

/** Compiles the Java files named after the first argument into class files in the folder that it names. */
public class CompileAgent {
    public static void main(String[] arguments) throws Exception {
        File[] sources = new File[arguments.length - 1];
        for (int i = 0; i < sources.length; i++) {
            sources[i] = new File(arguments[i + 1]);
        }
        ICompiler compiler = new CompilerFactory().newCompiler();
        compiler.setDestinationDirectory(new File(arguments[0]), false);
        compiler.compile(sources);
    }
}
