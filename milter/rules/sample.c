/* SPDX-License-Identifier: BSD-2-Clause */
/* sample -- text such as mail is made of, to try on it what a regex costs. */
#include "rules/sample.h"

const char *const SAMPLE_TEXTS[] = {
    "Minutes of Tuesday's meeting and the plan for the next three weeks",
    "Hello Anna, thank you for sending the figures so quickly. I have read "
    "them "
    "twice and they look fine to me, except that the total in the second table "
    "does not include the travel costs of the team in March (about $1,250.00).",
    "It was good to see so many of you at the spring meeting of the society, "
    "and thank you to everyone who helped to clean up the hall afterwards "
    "although it was rather late by then. As some of you already know there "
    "are still a few places left for the trip to the coast in early summer, "
    "which is open to members and their families; please let one of us know "
    "by the end of the month whether you would like to come along and how "
    "many seats you need on the bus. The treasurer has asked me to remind "
    "those who have not yet paid this year's subscription that it is now due.",
    "Could you please check your account of it and send me an updated version "
    "before Friday, 14 June 2024? If you need more information, call me on "
    "+49 30 1234567 or write to office@example.org. We will be at the office "
    "until 6 pm, and on Saturday from 10:00 to 12:30.",
    "The order number is 4711-0815-22, your customer number is 20240614. "
    "Please "
    "do not reply to this message; it was sent by a program. To change your "
    "password, open https://shop.example.com/account/settings?id=8f3e2a and "
    "follow the steps. If you no longer want to receive this newsletter, click "
    "here to unsubscribe.",
    "Liebe Kolleginnen und Kollegen, die n\xc3\xa4"
    "chste Sitzung findet am "
    "Donnerstag um 9 Uhr in M\xc3\xbcnchen statt. Bitte bringen Sie die "
    "Unterlagen \xe2\x80\x9ePlanung\xe2\x80\x9c mit; f\xc3\xbcr "
    "Gr\xc3\xb6\xc3\x9f"
    "e und Preis gilt das Angebot vom 3. Mai.",
    "Bonjour, je vous remercie pour votre r\xc3\xa9ponse. Nous avons re\xc3\xa7"
    "u le paiement, et la facture vous sera envoy\xc3\xa9"
    "e d\xc3\xa8s demain.",
    "> On Mon, 3 Jun 2024 at 17:05, Peter Smith wrote: >> I think we should "
    "wait "
    "until the bank has answered; they said the loan would be approved within "
    "ten working days -- and that it's free of charge.",
    "-- Dr. Maria Miller, Head of Research, 12 Long Street, Springfield, IL "
    "62704, USA | Tel: (217) 555-0123 | www.example.edu",
    "<table width=\"600\" border=\"0\" cellpadding=\"0\"><tr><td "
    "align=\"center\" "
    "style=\"font-family: Arial, sans-serif; font-size: 14px; color: #333333\">"
    "<a "
    "href=\"https://www.example.com/offers/spring?utm_source=mail&amp;id=42\">"
    "<img src=\"https://img.example.com/banner.png\" alt=\"Spring offers\">"
    "</a><br>&nbsp;Save up to 20% this week only!</td></tr></table>\n",
    "<html>\r\n<head>\r\n"
    "    <style type=\"text/css\">\r\n"
    "        body { margin: 0 auto; padding: 0; font-size : 16px; }\r\n"
    "        @media only screen and (max-width: 480px) {\r\n"
    "            .button { width: 100% !important; display: block }\r\n"
    "        }\r\n"
    "    </style>\r\n</head>\r\n<body>\r\n\r\n"
    "                <tr>\r\n"
    "                    <td colspan=\"2\">Dear customer,&nbsp;</td>\r\n"
    "                </tr>\r\n\r\n\r\n\r\n",
    "_______________________________________________ users mailing list "
    "users@lists.example.org https://lists.example.org/listinfo/users "
    "------------------------------------------------------------ "
    "======================================== "
    "* * * * * * * * * * .......... 1 234 567 89",
    "https://www.example.com/offers/spring?utm_source=mail&id=42",
    "Received: from mail.example.net (mail.example.net [192.0.2.25]) by "
    "mx.example.com (Postfix) with ESMTPS id 4Xk2vB1Zz for <anna@example.com>; "
    "Mon, 3 Jun 2024 17:05:41 +0200 (CEST)\n",
    "\"Example Shop\" <newsletter@shop.example.com>",
    /* a message as it came */
    "Return-Path: <peter@example.net>\n"
    "Received: from mail.example.net (mail.example.net [192.0.2.25]) by "
    "mx.example.com (Postfix) with ESMTPS id 4Xk2vB1Zz for <anna@example.com>; "
    "Mon, 3 Jun 2024 17:05:41 +0200 (CEST)\n"
    "Date: Mon, 3 Jun 2024 17:05:40 +0200\n"
    "From: Peter Smith <peter@example.net>\n"
    "To: Anna <anna@example.com>\n"
    "Subject: Re: minutes of Tuesday's meeting\n"
    "MIME-Version: 1.0\n"
    "Content-Type: multipart/mixed; boundary=\"next-part\"\n"
    "\n"
    "--next-part\n"
    "Content-Type: text/plain; charset=utf-8\n"
    "Content-Transfer-Encoding: quoted-printable\n"
    "\n"
    "Hello Anna, here are the minutes and the table. Could you have a look at "
    "the second page before=20\n"
    "Friday? We said that the caf=C3=A9 would be open until six.\n"
    "\n"
    "--next-part\n"
    "Content-Type: application/octet-stream; name=\"minutes\"\n"
    "Content-Transfer-Encoding: base64\n"
    "\n"
    "VGhlIHRlYW0gbWV0IG9uIFR1ZXNkYXkgYXQgdGVuLCBpbiB0aGUgYmlnIHJvb20gb24gdGhl\n"
    "IHNlY29uZCBmbG9vciwgYW5kIHRhbGtlZCBhYm91dCB0aGUgcGxhbiBmb3IgdGhlIHNwcmlu\n"
    "--next-part--\n",
    NULL};
