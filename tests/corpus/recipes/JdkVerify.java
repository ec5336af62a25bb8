/* SPDX-License-Identifier: ISC */
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Set;
import javax.xml.crypto.AlgorithmMethod;
import javax.xml.crypto.KeySelector;
import javax.xml.crypto.KeySelectorException;
import javax.xml.crypto.KeySelectorResult;
import javax.xml.crypto.XMLCryptoContext;
import javax.xml.crypto.dsig.Reference;
import javax.xml.crypto.dsig.XMLSignature;
import javax.xml.crypto.dsig.XMLSignatureFactory;
import javax.xml.crypto.dsig.dom.DOMValidateContext;
import javax.xml.crypto.dsig.keyinfo.KeyInfo;
import javax.xml.crypto.dsig.keyinfo.X509Data;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * JdkVerify TRUST TIME FILE...: what javax.xml.crypto says of each file, with
 * its secure validation on.  TRUST: PEM with the root first, then sub-CAs;
 * the signer's path is judged at TIME (RFC 3339), without revocation.
 */
public final class JdkVerify extends KeySelector {
	static final String XADES = "http://uri.etsi.org/01903/v1.3.2#";

	X509Certificate signer;		/* the end entity among KeyInfo's certificates */

	@Override
	public KeySelectorResult select(KeyInfo info, Purpose purpose, AlgorithmMethod method, XMLCryptoContext ctx)
	    throws KeySelectorException {
		for (Object data : info == null ? List.of() : info.getContent())
			if (data instanceof X509Data)
				for (Object c : ((X509Data)data).getContent())
					if (c instanceof X509Certificate && ((X509Certificate)c).getBasicConstraints() == -1)
						signer = (X509Certificate)c;
		if (signer == null)
			throw new KeySelectorException("no certificate of a signer");
		Key key = signer.getPublicKey();
		return () -> key;
	}

	static void checkPath(List<X509Certificate> trust, X509Certificate signer, Instant at) throws Exception {
		List<X509Certificate> path = new ArrayList<>(List.of(signer));
		path.addAll(trust.subList(1, trust.size()));
		PKIXParameters p = new PKIXParameters(Set.of(new TrustAnchor(trust.get(0), null)));
		p.setRevocationEnabled(false);
		p.setDate(Date.from(at));
		CertPathValidator.getInstance("PKIX").validate(
		    CertificateFactory.getInstance("X.509").generateCertPath(path), p);
	}

	static String judge(List<X509Certificate> trust, Instant at, Path file) throws Exception {
		Document doc = Pki.read(file);
		NodeList found = doc.getElementsByTagNameNS(XMLSignature.XMLNS, "Signature");
		if (found.getLength() != 1)
			return "INVALID: " + found.getLength() + " signatures";
		JdkVerify keys = new JdkVerify();
		DOMValidateContext ctx = new DOMValidateContext(keys, found.item(0));
		ctx.setProperty("org.jcp.xml.dsig.secureValidation", Boolean.TRUE);
		NodeList properties = doc.getElementsByTagNameNS(XADES, "SignedProperties");
		for (int i = 0; i < properties.getLength(); i++)
			ctx.setIdAttributeNS((Element)properties.item(i), null, "Id");
		XMLSignature s = XMLSignatureFactory.getInstance("DOM").unmarshalXMLSignature(ctx);
		boolean valid = s.validate(ctx);
		StringBuilder text = new StringBuilder(valid ? "VALID:" : "INVALID:");
		text.append(" value ").append(s.getSignatureValue().validate(ctx) ? "ok" : "wrong");
		for (Object r : s.getSignedInfo().getReferences())
			text.append(", \"").append(((Reference)r).getURI()).append("\" ")
			    .append(((Reference)r).validate(ctx) ? "ok" : "wrong");
		if (valid)
			checkPath(trust, keys.signer, at);
		return text.append(", ").append(keys.signer.getSubjectX500Principal()).toString();
	}

	public static void main(String[] argv) throws Exception {
		List<X509Certificate> trust = new ArrayList<>();
		try (var in = Files.newInputStream(Path.of(argv[0]))) {
			for (var c : CertificateFactory.getInstance("X.509").generateCertificates(in))
				trust.add((X509Certificate)c);
		}
		for (int i = 2; i < argv.length; i++) {
			String verdict;
			try {
				verdict = judge(trust, Instant.parse(argv[1]), Path.of(argv[i]));
			} catch (Exception e) {
				verdict = "INVALID: " + e;
			}
			System.out.println(Path.of(argv[i]).getFileName() + ": " + verdict);
		}
	}
}
