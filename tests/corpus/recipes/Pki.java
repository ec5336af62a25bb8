/* SPDX-License-Identifier: ISC */
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;

/** The corpus's keys and certificates, and its way to read a document. */
final class Pki {
	private final Path dir;

	Pki(String dir) {
		this.dir = Path.of(dir);
	}

	X509Certificate certificate(String name) throws Exception {
		try (var in = Files.newInputStream(dir.resolve(name + ".pem"))) {
			return (X509Certificate)CertificateFactory.getInstance("X.509").generateCertificate(in);
		}
	}

	PrivateKey key(String name) throws Exception {
		String pem = Files.readString(dir.resolve(name + ".test-key")).replaceAll("-----[A-Z ]+-----|\\s", "");
		return KeyFactory.getInstance(name.startsWith("rsa") ? "RSA" : "EC")
		    .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
	}

	static Document read(Path file) throws Exception {
		DocumentBuilderFactory f = DocumentBuilderFactory.newInstance();
		f.setNamespaceAware(true);
		f.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
		return f.newDocumentBuilder().parse(file.toFile());
	}
}
