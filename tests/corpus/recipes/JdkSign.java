/* SPDX-License-Identifier: ISC */
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.crypto.spec.SecretKeySpec;
import javax.xml.crypto.XMLStructure;
import javax.xml.crypto.dom.DOMStructure;
import javax.xml.crypto.dsig.*;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.keyinfo.*;
import javax.xml.crypto.dsig.spec.*;
import javax.xml.transform.OutputKeys;
import javax.xml.transform.Transformer;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/**
 * JdkSign PKI IN OUT: documents signed with javax.xml.crypto alone, in the
 * ways its users do; XAdES-BES is built by hand, as one does without a
 * library for it.  OUT gets good/ and bad/.
 */
public final class JdkSign {
	static final String MORE = "http://www.w3.org/2001/04/xmldsig-more#";
	static final String EXC = CanonicalizationMethod.EXCLUSIVE, INC = CanonicalizationMethod.INCLUSIVE;
	static final String XADES = "http://uri.etsi.org/01903/v1.3.2#";
	static final String XADES_TYPE = "http://uri.etsi.org/01903#SignedProperties";
	static final XMLSignatureFactory F = XMLSignatureFactory.getInstance("DOM");

	static final PSSParameterSpec PSS = new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1);

	final Pki pki;
	final Path in, out;

	/* One fixture.  A null c14n is no such transform. */
	String name, signer, document;
	String method, digest = DigestMethod.SHA256;
	String infoC14n = EXC, documentC14n = EXC, propertiesC14n = EXC;
	List<String> prefixes;			/* of exclusive c14n, everywhere */
	String prefix = "ds", uri = "";
	boolean xades, first, propertiesFirst, propertiesUnsigned, enveloped = true;
	String time = "2026-01-15T11:55:00+03:00";
	String encoding = "UTF-8";
	List<String> chain;			/* certificates in KeyInfo, in this order */
	boolean keyInfoExtras;

	JdkSign(String[] argv) {
		pki = new Pki(argv[0]);
		in = Path.of(argv[1]);
		out = Path.of(argv[2]);
	}

	/* The name says what it is: tool, profile, variety, key, document. */
	JdkSign(String[] argv, String profile, String what, String signer, String hash, String document) {
		this(argv);
		this.name = "good/jdk-" + profile + "-" + what + "-" + signer + "-" + document + ".xml";
		this.signer = signer;
		this.document = document;
		this.chain = List.of(signer);
		this.xades = profile.equals("xades");
		this.method = MORE + (signer.startsWith("rsa") ? "rsa-" : "ecdsa-") + hash;
	}

	JdkSign c14n(String uri) {
		infoC14n = documentC14n = propertiesC14n = uri;
		return this;
	}

	JdkSign noC14n() {		/* of the references; SignedInfo must name one */
		infoC14n = INC;
		documentC14n = propertiesC14n = null;
		return this;
	}

	JdkSign bad(String code) {
		name = name.replace("good/", "bad/").replace(".xml", "." + code + ".xml");
		return this;
	}

	C14NMethodParameterSpec parameters(String uri) {
		return EXC.equals(uri) && prefixes != null ? new ExcC14NParameterSpec(prefixes) : null;
	}

	List<Transform> transforms(boolean enveloped, String c14n) throws Exception {
		List<Transform> t = new ArrayList<>();
		if (enveloped)
			t.add(F.newTransform(Transform.ENVELOPED, (TransformParameterSpec)null));
		if (c14n != null)
			t.add(F.newTransform(c14n, parameters(c14n)));
		return t;
	}

	KeyInfo keyInfo() throws Exception {
		KeyInfoFactory k = F.getKeyInfoFactory();
		List<XMLStructure> content = new ArrayList<>();
		List<Object> data = new ArrayList<>();
		X509Certificate cert = pki.certificate(signer);
		if (keyInfoExtras) {
			content.add(k.newKeyName("the platform's key"));
			content.add(k.newKeyValue(cert.getPublicKey()));
			data.add(k.newX509IssuerSerial(cert.getIssuerX500Principal().getName(), cert.getSerialNumber()));
			data.add(cert.getSubjectX500Principal().getName());
		}
		for (String c : chain)
			data.add(pki.certificate(c));
		content.add(k.newX509Data(data));
		return k.newKeyInfo(content);
	}

	static Element add(Element parent, String ns, String name, String text) {
		Element e = parent.getOwnerDocument().createElementNS(ns, name);
		if (text != null)
			e.setTextContent(text);
		parent.appendChild(e);
		return e;
	}

	/* XAdES 1.3.2: QualifyingProperties with SigningTime, SigningCertificate
	 * (v1, with IssuerSerial) and DataObjectFormat. */
	Element properties(Document doc) throws Exception {
		X509Certificate cert = pki.certificate(signer);
		Element q = doc.createElementNS(XADES, "xades:QualifyingProperties");
		q.setAttributeNS("http://www.w3.org/2000/xmlns/", "xmlns:xades", XADES);
		q.setAttributeNS("http://www.w3.org/2000/xmlns/", "xmlns:ds", XMLSignature.XMLNS);
		q.setAttribute("Target", "#sig-1");
		Element sp = add(q, XADES, "xades:SignedProperties", null);
		sp.setAttribute("Id", "sp-1");
		sp.setIdAttribute("Id", true);
		Element ssp = add(sp, XADES, "xades:SignedSignatureProperties", null);
		add(ssp, XADES, "xades:SigningTime", time);
		Element c = add(add(ssp, XADES, "xades:SigningCertificate", null), XADES, "xades:Cert", null);
		Element cd = add(c, XADES, "xades:CertDigest", null);
		add(cd, XMLSignature.XMLNS, "ds:DigestMethod", null).setAttribute("Algorithm", DigestMethod.SHA256);
		add(cd, XMLSignature.XMLNS, "ds:DigestValue", Base64.getEncoder().encodeToString(
		    MessageDigest.getInstance("SHA-256").digest(cert.getEncoded())));
		Element is = add(c, XADES, "xades:IssuerSerial", null);
		add(is, XMLSignature.XMLNS, "ds:X509IssuerName", cert.getIssuerX500Principal().getName());
		add(is, XMLSignature.XMLNS, "ds:X509SerialNumber", cert.getSerialNumber().toString());
		Element dof = add(add(sp, XADES, "xades:SignedDataObjectProperties", null), XADES,
		    "xades:DataObjectFormat", null);
		dof.setAttribute("ObjectReference", "#ref-1");
		add(dof, XADES, "xades:MimeType", "text/xml");
		return q;
	}

	void sign() throws Exception {
		Document doc = Pki.read(in.resolve(document + ".xml"));
		Element root = doc.getDocumentElement();
		DigestMethod dm = F.newDigestMethod(digest, null);
		List<Reference> refs = new ArrayList<>();
		List<XMLObject> objects = null;
		if (!uri.isEmpty()) {
			root.setAttribute("Id", uri.substring(1));
			root.setIdAttribute("Id", true);
		}
		refs.add(F.newReference(uri, dm, transforms(enveloped, documentC14n), null, "ref-1"));
		if (xades) {
			Element q = properties(doc);
			objects = List.of(F.newXMLObject(List.of(new DOMStructure(q)), null, null, null));
			if (!propertiesUnsigned)
				refs.add(propertiesFirst ? 0 : 1, F.newReference("#sp-1", dm,
				    transforms(false, propertiesC14n), XADES_TYPE, null));
		}
		SignatureMethod sm = F.newSignatureMethod(method, method.endsWith("#rsa-pss") ?
		    new RSAPSSParameterSpec(PSS) : null);
		SignedInfo si = F.newSignedInfo(F.newCanonicalizationMethod(infoC14n, parameters(infoC14n)), sm, refs);
		XMLSignature s = F.newXMLSignature(si, keyInfo(), objects, "sig-1", null);
		java.security.Key key = method.contains("hmac") ? new SecretKeySpec(new byte[32], "HmacSHA256") :
		    pki.key(signer);
		DOMSignContext ctx = first ? new DOMSignContext(key, root, root.getFirstChild()) :
		    new DOMSignContext(key, root);
		ctx.setProperty("org.jcp.xml.dsig.secureValidation", Boolean.FALSE);	/* SHA-1 in bad/ */
		if (!prefix.isEmpty())
			ctx.setDefaultNamespacePrefix(prefix);
		s.sign(ctx);
		Transformer t = TransformerFactory.newInstance().newTransformer();
		t.setOutputProperty(OutputKeys.ENCODING, encoding);
		try (OutputStream o = Files.newOutputStream(out.resolve(name))) {
			t.transform(new DOMSource(doc), new StreamResult(o));
		}
		System.out.println(name);
	}

	static void good(String[] a) throws Exception {
		JdkSign f;
		new JdkSign(a, "xmldsig", "exclusive", "rsa2048", "sha256", "balance").sign();
		f = new JdkSign(a, "xmldsig", "exclusive", "p384", "sha384", "letter");
		f.digest = MORE + "sha384";
		f.prefix = "";
		f.sign();
		f = new JdkSign(a, "xmldsig", "inclusive", "p384", "sha384", "letter").c14n(INC);
		f.chain = List.of("p384", "subca", "root");
		f.sign();
		f = new JdkSign(a, "xmldsig", "none", "p256", "sha256", "balance").noC14n();
		f.chain = List.of("root", "subca", "p256");
		f.keyInfoExtras = true;
		f.sign();
		f = new JdkSign(a, "xmldsig", "none", "rsa2048", "sha384", "letter").noC14n();
		f.keyInfoExtras = true;
		f.prefix = "";
		f.sign();
		f = new JdkSign(a, "xmldsig", "prefixlist", "rsa2048", "sha512", "letter");
		f.prefixes = List.of("unused", "e", "#default");
		f.digest = DigestMethod.SHA512;
		f.sign();
		f = new JdkSign(a, "xmldsig", "first", "p256", "sha256", "letter");
		f.first = true;
		f.sign();

		new JdkSign(a, "xades", "exclusive", "rsa2048", "sha256", "balance").sign();
		f = new JdkSign(a, "xades", "inclusive", "rsa2048", "sha256", "balance").c14n(INC);
		f.chain = List.of("rsa2048", "subca");
		f.time = "2026-01-15T11:55:00";		/* no zone: Istanbul's */
		f.sign();
		f = new JdkSign(a, "xades", "inclusive", "p384", "sha384", "letter").c14n(INC);
		f.chain = List.of("subca", "p384");
		f.sign();
		f = new JdkSign(a, "xades", "none", "p256", "sha256", "balance").noC14n();
		f.propertiesFirst = true;
		f.time = "2026-01-15T08:55:00.123Z";
		f.sign();
		f = new JdkSign(a, "xades", "mixed", "p256", "sha512", "letter");
		f.infoC14n = INC;
		f.propertiesC14n = null;
		f.prefix = "";
		f.sign();
		f = new JdkSign(a, "xades", "prefixlist", "rsa2048", "sha256", "letter");
		f.prefixes = List.of("unused", "m", "#default");
		f.sign();
		f = new JdkSign(a, "xades", "first", "p384", "sha384", "balance").c14n(INC);
		f.first = true;
		f.sign();
		f = new JdkSign(a, "xades", "utf16", "p256", "sha256", "balance");
		f.encoding = "UTF-16";
		f.sign();
	}

	static void bad(String[] a) throws Exception {
		JdkSign f;
		f = new JdkSign(a, "xades", "pss", "rsa2048", "sha256", "balance").bad("SIG_ALGORITHM");
		f.method = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1";
		f.sign();
		f = new JdkSign(a, "xmldsig", "pssparams", "rsa2048", "sha256", "letter").bad("SIG_ALGORITHM");
		f.method = "http://www.w3.org/2007/05/xmldsig-more#rsa-pss";
		f.sign();
		f = new JdkSign(a, "xmldsig", "comments", "p256", "sha256", "letter").bad("SIG_ALGORITHM");
		f.documentC14n = CanonicalizationMethod.EXCLUSIVE_WITH_COMMENTS;
		f.sign();
		new JdkSign(a, "xmldsig", "c14n11", "p256", "sha256", "letter").bad("SIG_ALGORITHM")
		    .c14n("http://www.w3.org/2006/12/xml-c14n11").sign();
		f = new JdkSign(a, "xades", "sha1", "rsa2048", "sha256", "balance").bad("SIG_ALGORITHM");
		f.digest = DigestMethod.SHA1;
		f.sign();
		f = new JdkSign(a, "xmldsig", "hmac", "p256", "sha256", "letter").bad("SIG_ALGORITHM");
		f.method = MORE + "hmac-sha256";
		f.sign();
		f = new JdkSign(a, "xmldsig", "byid", "p256", "sha256", "letter").bad("SIG_COVERAGE");
		f.uri = "#whole";
		f.sign();
		f = new JdkSign(a, "xades", "propertiesunsigned", "p256", "sha256", "balance").bad("SIG_COVERAGE");
		f.propertiesUnsigned = true;
		f.sign();
	}

	public static void main(String[] argv) throws Exception {
		good(argv);
		bad(argv);
	}
}
